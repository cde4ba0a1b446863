#include "tests/fuzz/query_world.hpp"

#include <cstdio>
#include <cstdlib>

namespace fairway::dns::testing {
namespace {

void require(bool holds, const char* what, Bytes query) {
    if (holds) return;
    std::fprintf(stderr, "answer: %s, to ", what);
    for (const auto octet : query) std::fprintf(stderr, "%02x", octet);
    std::abort();
}

AnswerPlan plan_of(AnswerPlan::Kind kind) {
    AnswerPlan plan;
    plan.kind = kind;
    for (const char* a : {"198.51.100.1", "198.51.100.2", "2001:db8::1"})
        plan.choices.push_back({0, {*IpAddress::parse(a)}, 1});
    plan.by_client = {0, 1, 2};
    return plan;
}

} // namespace

SnapshotPtr fuzz_world(const RateLimitSettings& rate_limit, std::uint64_t generation) {
    Model m;
    std::vector<std::string> lines{"@ 3600 SOA ns1 host 1 3600 600 86400 60",
                                   "@ NS ns1",
                                   "ns1 A 192.0.2.53",
                                   "www CNAME web",
                                   "web A 192.0.2.80",
                                   "*.w MX 10 mx.w",
                                   "a.b.w TXT \"x\"",
                                   "c.d CNAME *.w",
                                   "sub NS ns.sub",
                                   "sub NS ns.other",
                                   "ns.sub A 192.0.2.10",
                                   "other NS ns.other",
                                   "ns.other AAAA 2001:db8::1",
                                   "old DNAME www",
                                   "grow DNAME a-long-label.grow",
                                   "*.alias CNAME x.alias",
                                   "l1 CNAME l2",
                                   "l2 CNAME l1",
                                   "in NS ns.in",
                                   "s SRV 1 2 3 web",
                                   "@ MX 1 s.grow"};
    for (int i = 0; i < 60; ++i) lines.push_back("big A 192.0.2." + std::to_string(i));
    m.zones = {
        zone_of("a.test", lines), zone_of("in.a.test", {lines[0], lines[1], lines[2]}),
        zone_of("test", {lines[0], lines[1], lines[2], "a NS ns1.a", "a DS 1 8 2 " + std::string(64, 'a')})};
    m.dns.nsid = "fuzz";
    m.dns.cookies.secrets = {CookieSettings::Secret{1}, CookieSettings::Secret{2}};
    m.dns.chaos = {"fuzz", "fuzz"};
    m.dns.rate_limit = rate_limit;
    m.clients.classes.resize(3);
    m.clients.networks = {{*Prefix::parse("10.0.0.0/8"), 1},
                          {*Prefix::parse("10.1.0.0/16"), 2},
                          {*Prefix::parse("2001:db8::/32"), 2}};
    const std::vector<AnswerPlan> plans{plan_of(AnswerPlan::Kind::by_client), plan_of(AnswerPlan::Kind::draw),
                                        plan_of(AnswerPlan::Kind::nodata),
                                        plan_of(AnswerPlan::Kind::servfail)};
    m.services.resize(plans.size());
    for (std::size_t i = 0; i < plans.size(); ++i)
        m.services[i].name = *Name::parse("s" + std::to_string(i) + ".a.test");
    return compile(m, plans, generation);
}

std::vector<Packet> seed_queries() {
    std::vector<Packet> seeds;
    for (const char* name :
         {"a.test.", "www.a.test.", "x.y.w.a.test.", "c.d.a.test.", "d.a.test.", "h.sub.a.test.",
          "x.old.a.test.", "x.grow.a.test.", "q.alias.a.test.", "l1.a.test.", "big.a.test.", "in.a.test.",
          "s0.a.test.", "s1.a.test.", "s2.a.test.", "s3.a.test.", "test.", "."})
        for (const std::uint16_t type : {rrtype::a, rrtype::any, rrtype::ds}) {
            const auto q = make_query(name, type);
            seeds.push_back(q);
            seeds.push_back(with_opt(q, {}));
            seeds.push_back(with_opt(q, {4096, 0, 0x8000, subnet("10.1.2.0/24")}));
            seeds.push_back(with_opt(q, {512, 0, 0, option(3, {})}));
            seeds.push_back(with_opt(q, {1232, 0, 0, option(10, Packet(8, 1))}));
            seeds.push_back(with_opt(q, {1232, 0, 0, option(10, Packet(24, 1))}));
            seeds.push_back(with_opt(q, {1232, 0, 0, option(11, {})}));
            seeds.push_back(with_opt(q, {1232, 1, 0, {}}));
        }
    for (const char* name : {"version.bind.", "ID.server."}) {
        auto chaos = make_query(name, rrtype::txt);
        chaos.back() = class_chaos;
        seeds.push_back(chaos);
    }
    seeds.push_back(with_opt(Packet(header_size), {1232, 0, 0, option(10, Packet(8, 1))})); // no question
    return seeds;
}

void check_answer(Bytes query, const Snapshot& snapshot) {
    for (const auto transport : {Client::Transport::udp, Client::Transport::tcp}) {
        // Exactly as long as the query, so that a sanitizer sees any step beyond it.
        const Packet copy(query.begin(), query.end());
        const Packet reply = ask(snapshot, copy, {*IpAddress::parse("10.1.0.1"), transport});
        if (reply.empty()) {
            require(copy.size() < header_size || copy[2] & 0x80, "silence where an answer is due", copy);
            continue;
        }
        require(std::equal(copy.begin(), copy.begin() + 2, reply.begin()), "another id", copy);
        require(reply[2] & 0x80, "not a response", copy);
        if (get16(&reply[4]) == 1) {
            const std::size_t end = header_size + name_length(Bytes(copy).subspan(header_size)) + 4;
            require(std::equal(copy.begin() + header_size, copy.begin() + static_cast<std::ptrdiff_t>(end),
                               reply.begin() + header_size),
                    "another question", copy);
        }
        const auto read_back = decode(reply);
        require(read_back.has_value(), "ldns cannot read it", copy);
        if (const auto asked = decode(copy); asked && !read_back->question.empty())
            require(asked->question == read_back->question, "ldns sees another question", copy);
    }
}

} // namespace fairway::dns::testing
