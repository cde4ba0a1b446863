// The rules of the message itself: header, EDNS, client subnet, sizes. Byte by byte.
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

const Client over_tcp{{}, Client::Transport::tcp};

// One zone, 60 addresses at "big" (972 octets), 5,000 TXT octets at "huge", a server list whose glue is 60
// addresses, and a service that answers by where the client is.
SnapshotPtr world() {
    Model m;
    std::vector<std::string> lines{"@ 3600 SOA ns1 host 1 3600 600 86400 60",
                                   "@ 3600 NS ns1",
                                   "ns1 3600 A 192.0.2.53",
                                   "www 300 A 192.0.2.80",
                                   "sub 300 NS ns.sub",
                                   "sibling 300 NS ns.cousin",
                                   "cousin 300 NS ns.cousin"};
    for (int i = 0; i < 60; ++i) {
        lines.push_back("big 300 A 192.0.2." + std::to_string(i));
        lines.push_back("ns.sub 300 A 192.0.2." + std::to_string(i));
        lines.push_back("ns.cousin 300 A 192.0.2." + std::to_string(i));
    }
    for (int i = 0; i < 25; ++i)
        lines.push_back("huge 300 TXT \"" + std::string(200, static_cast<char>('a' + i)) + "\"");
    m.zones = {zone_of("example.com", lines)};
    m.dns.nsid = "ns1.test";
    m.services.resize(2);
    m.services[0].name = *Name::parse("geo.example.com");
    m.services[1].name = *Name::parse("same.example.com");
    m.clients.classes.resize(3);
    m.clients.networks = {{*Prefix::parse("10.0.0.0/8"), 1},
                          {*Prefix::parse("10.1.0.0/16"), 2},
                          {*Prefix::parse("2001:db8::/32"), 2}};
    AnswerPlan geo;
    geo.kind = AnswerPlan::Kind::by_client;
    for (const char* a : {"198.51.100.1", "198.51.100.2", "198.51.100.3"})
        geo.choices.push_back({0, {*IpAddress::parse(a)}, 1});
    geo.by_client = {0, 1, 2};
    AnswerPlan same = geo;
    same.by_client = {1, 1, 1};
    return compile(m, std::vector<AnswerPlan>{geo, same}, 1);
}

std::string rcode_of(const Packet& reply) {
    const auto d = decode(reply);
    return d ? d->rcode : reply.empty() ? "silence" : "not a message";
}

// The OPT record's extended code, version and options, of a reply that ends with it.
struct ReplyOpt {
    unsigned payload, extended, version, flags;
    Packet options;
};
ReplyOpt opt_of(const Packet& reply, std::size_t options) {
    const auto* o = reply.data() + reply.size() - options - 11;
    REQUIRE(o[0] == 0);
    REQUIRE(get16(o + 1) == rrtype::opt);
    REQUIRE(get16(o + 9) == options);
    return {get16(o + 3), o[5], o[6], get16(o + 7), Packet(o + 11, o + 11 + options)};
}

Packet www() { return make_query("www.example.com.", rrtype::a); }
Packet geo() { return make_query("geo.example.com.", rrtype::a); }

} // namespace

TEST_CASE("a message that is no query for us gets silence or its error, and nothing more") {
    const auto snapshot = world();
    const auto changed = [](std::size_t at, std::uint8_t value) {
        auto q = www();
        q[at] = value;
        return q;
    };
    const auto cut = [](std::size_t size) {
        auto q = www();
        q.resize(size);
        return q;
    };
    auto trailing = www();
    trailing.push_back(0);
    auto pointer = www();
    pointer[12] = 0xc0;
    auto chaos = www();
    chaos[chaos.size() - 1] = 3;

    CHECK(rcode_of(ask(*snapshot, {})) == "silence");
    CHECK(rcode_of(ask(*snapshot, cut(11))) == "silence");
    CHECK(rcode_of(ask(*snapshot, changed(2, 0x80))) == "silence"); // a response
    CHECK(rcode_of(ask(*snapshot, changed(2, 0x28))) == "NOTIMPL"); // an update
    CHECK(rcode_of(ask(*snapshot, changed(2, 0x20))) == "NOTIMPL"); // a notify
    CHECK(rcode_of(ask(*snapshot, changed(5, 0))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, changed(5, 2))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, changed(7, 1))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, changed(9, 1))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, changed(11, 1))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, changed(12, 64))) == "FORMERR"); // a label too long
    CHECK(rcode_of(ask(*snapshot, pointer)) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, trailing)) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, chaos)) == "REFUSED");
    for (std::size_t size = 12; size < www().size(); ++size)
        CHECK(rcode_of(ask(*snapshot, cut(size))) == "FORMERR");

    // 256 octets are one too many.
    Packet name(header_size);
    put16(&name[4], 1);
    for (int i = 0; i < 127; ++i) name.insert(name.end(), {1, 'a'});
    Packet longest = name, too_long = name;
    longest.insert(longest.end(), {0, 0, 1, 0, 1});
    too_long.insert(too_long.end(), {1, 'a', 0, 0, 1, 0, 1});
    CHECK(rcode_of(ask(*snapshot, longest)) == "REFUSED");
    CHECK(rcode_of(ask(*snapshot, too_long)) == "FORMERR");
}

TEST_CASE("only the opcode and RD are copied from the query's flags") {
    auto query = www();
    query[2] = 0x07; // AA, TC, RD
    query[3] = 0x7f; // Z, AD, CD and a response code
    const auto reply = ask(*world(), query);
    CHECK(get16(&reply[2]) == (flag::qr | flag::aa | flag::rd));
}

TEST_CASE("EDNS is answered with EDNS, and its absence with none") {
    const auto snapshot = world();
    CHECK_FALSE(decode(ask(*snapshot, www()))->edns);
    const auto reply = ask(*snapshot, with_opt(www(), {}));
    const auto opt = opt_of(reply, 0);
    CHECK(opt.payload == 1232);
    CHECK(opt.version == 0);
    CHECK(opt.flags == 0);
    CHECK(opt_of(ask(*snapshot, with_opt(www(), {1232, 0, 0xffff, {}})), 0).flags ==
          0x8000); // DO, nothing else
}

TEST_CASE("unknown versions are BADVERS, unknown options are ignored, a second OPT is FORMERR") {
    const auto snapshot = world();
    const auto version = ask(*snapshot, with_opt(www(), {1232, 1, 0, {1, 2, 3}}));
    CHECK((version[3] & 15) == 0);
    CHECK(opt_of(version, 0).extended == 1);
    CHECK(opt_of(version, 0).version == 0);
    CHECK(get16(&version[6]) == 0);

    CHECK(rcode_of(ask(*snapshot, with_opt(www(), {1232, 0, 0, option(65001, {1, 2, 3})}))) == "NOERROR");
    CHECK(rcode_of(ask(*snapshot, with_opt(with_opt(www(), {}), {}))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, with_opt(www(), {1232, 0, 0, {0, 1, 0}}))) == "FORMERR");
    CHECK(rcode_of(ask(*snapshot, with_opt(www(), {1232, 0, 0, {0, 1, 0, 9, 1}}))) == "FORMERR");
}

TEST_CASE("opcodes but QUERY are NOTIMP, classes but IN are REFUSED, and neither is looked into") {
    const auto snapshot = world();
    for (unsigned opcode = 1; opcode < 16; ++opcode) {
        auto q = with_opt(www(), {});
        q[2] = static_cast<std::uint8_t>(opcode << 3);
        const auto reply = ask(*snapshot, q);
        CHECK(rcode_of(reply) == "NOTIMPL");
        CHECK((reply[2] & 0x78) == opcode << 3);
        opt_of(reply, 0);
    }
    for (const unsigned other : {0u, 2u, 3u, 4u, 254u, 255u, 65535u}) { // HS, CH, NONE, ANY and what is none
        auto q = www();
        put16(&q[q.size() - 2], other);
        CHECK(rcode_of(ask(*snapshot, q)) == "REFUSED");
    }
    for (const std::uint16_t transfer : {rrtype::axfr, rrtype::ixfr})
        CHECK(rcode_of(ask(*snapshot, make_query("example.com.", transfer), over_tcp)) == "REFUSED");
}

TEST_CASE("who the server is, is told in class CH if it is configured, and REFUSED if not (RFC 4892)") {
    const auto told = [](const char* name, std::uint16_t type, const ChaosSettings& chaos) -> std::string {
        Model m;
        m.zones = {zone_of("example.com", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1"})};
        m.dns.chaos = chaos;
        auto q = make_query(name, type);
        q.back() = class_chaos;
        const auto reply = ask(*compile(m, {}, 1), q);
        const std::size_t end = q.size();
        if ((reply[3] & 15) != 0) return rcode_of(reply);
        CHECK(std::equal(q.begin() + header_size, q.end(), reply.begin() + header_size));
        CHECK((reply[2] & 4) != 0);
        if (get16(&reply[6]) == 0) return reply.size() == end ? "nothing" : "too much";
        CHECK(get16(&reply[end]) == 0xc00c);
        CHECK(get32(&reply[end + 2]) == (std::uint32_t{rrtype::txt} << 16 | class_chaos));
        CHECK(get32(&reply[end + 6]) == 0);
        CHECK(get16(&reply[end + 10]) == reply.size() - end - 12);
        CHECK(reply[end + 12] == reply.size() - end - 13);
        return std::string(reply.begin() + static_cast<std::ptrdiff_t>(end) + 13, reply.end());
    };
    const ChaosSettings both{"1.0", "ns1"};
    CHECK(told("version.bind.", rrtype::txt, both) == "1.0");
    CHECK(told("VERSION.server.", rrtype::txt, both) == "1.0");
    CHECK(told("id.server.", rrtype::txt, both) == "ns1");
    CHECK(told("HostName.Bind.", rrtype::any, both) == "ns1");
    CHECK(told("id.server.", rrtype::a, both) == "nothing");
    CHECK(told("authors.bind.", rrtype::txt, both) == "REFUSED");
    CHECK(told("example.com.", rrtype::txt, both) == "REFUSED");
    CHECK(told("version.bind.", rrtype::txt, {}) == "REFUSED");
    CHECK(told("version.bind.", rrtype::txt, {"", "ns1"}) == "REFUSED");
    CHECK(told("id.server.", rrtype::txt, {"1.0", ""}) == "REFUSED");
    CHECK(told("id.server.", rrtype::txt, {"", std::string(255, 'x')}) == std::string(255, 'x'));
}

TEST_CASE("NSID is told to who asks") {
    const auto snapshot = world();
    const auto reply = ask(*snapshot, with_opt(www(), {1232, 0, 0, option(3, {})}));
    const Packet expected = option(3, {'n', 's', '1', '.', 't', 'e', 's', 't'});
    CHECK(opt_of(reply, expected.size()).options == expected);
}

TEST_CASE("a malformed client subnet is FORMERR") {
    const auto snapshot = world();
    const Packet bodies[] = {
        {},                           // nothing
        {0, 1, 24},                   // too short
        {0, 3, 0, 0},                 // a family nobody knows
        {0, 1, 33, 0, 1, 2, 3, 4, 5}, // longer than the family
        {0, 2, 129, 0},               //
        {0, 1, 24, 0, 10, 1},         // too few octets
        {0, 1, 24, 0, 10, 1, 2, 0},   // too many
        {0, 1, 20, 0, 10, 1, 0x1f},   // bits beyond the prefix
        {0, 1, 24, 24, 10, 1, 2},     // a scope in a query
        {0, 0, 8, 0, 10},             // an address of no family
    };
    for (const auto& body : bodies) {
        const auto reply = ask(*snapshot, with_opt(geo(), {1232, 0, 0, option(8, body)}));
        CHECK(rcode_of(reply) == "FORMERR");
        opt_of(reply, 0);
    }
    auto twice = subnet("10.1.2.0/24");
    const auto other = subnet("10.2.2.0/24");
    twice.insert(twice.end(), other.begin(), other.end());
    CHECK(rcode_of(ask(*snapshot, with_opt(geo(), {1232, 0, 0, twice}))) == "FORMERR");
}

TEST_CASE("the client's network decides, and the scope is what was really used") {
    const auto snapshot = world();
    struct Row {
        const char *subnet, *address;
        unsigned scope;
    };
    // 10.1.0.0/16 lies in 10.0.0.0/8: around it, prefixes must not reach into it.
    const Row rows[] = {{"10.1.2.0/24", "198.51.100.3", 16},  {"10.1.0.0/16", "198.51.100.3", 16},
                        {"10.0.0.0/24", "198.51.100.2", 16},  {"10.2.0.0/24", "198.51.100.2", 15},
                        {"10.128.0.0/24", "198.51.100.2", 9}, {"11.0.0.0/24", "198.51.100.1", 8},
                        {"192.0.2.0/24", "198.51.100.1", 1},  {"10.1.2.3/32", "198.51.100.3", 16}};
    for (const auto& row : rows) {
        CAPTURE(row.subnet);
        auto option_expected = subnet(row.subnet);
        option_expected[7] = static_cast<std::uint8_t>(row.scope);
        const auto reply = ask(*snapshot, with_opt(geo(), {1232, 0, 0, subnet(row.subnet)}));
        CHECK(opt_of(reply, option_expected.size()).options == option_expected);
        CHECK(decode(reply)->answer[0].substr(decode(reply)->answer[0].rfind(' ') + 1) == row.address);
    }
    const auto six = ask(*snapshot, with_opt(geo(), {1232, 0, 0, subnet("2001:db8:1::/48")}));
    CHECK(opt_of(six, 14).options[7] == 32);
}

TEST_CASE("without a client subnet the source address decides") {
    const auto snapshot = world();
    const Client client{*IpAddress::parse("10.1.2.3"), Client::Transport::udp};
    CHECK(decode(ask(*snapshot, geo(), client))->answer[0] == "geo.example.com. 10 A 198.51.100.3");
    // A prefix of length 0 asks for that: the answer may depend on the resolver, not on a client.
    const auto reply = ask(*snapshot, with_opt(geo(), {1232, 0, 0, subnet("0.0.0.0/0")}), client);
    CHECK(decode(reply)->answer[0] == "geo.example.com. 10 A 198.51.100.3");
    CHECK(opt_of(reply, 8).options == subnet("0.0.0.0/0"));
}

TEST_CASE("the scope is 0 where the answer does not depend on the client") {
    const auto snapshot = world();
    for (const char* name :
         {"www.example.com.", "same.example.com.", "nothing.example.com.", "example.org."}) {
        const auto reply =
            ask(*snapshot, with_opt(make_query(name, rrtype::a), {1232, 0, 0, subnet("10.1.2.0/24")}));
        CHECK(opt_of(reply, 11).options == subnet("10.1.2.0/24"));
    }
}

TEST_CASE("what does not fit sets TC and leaves the message empty; TCP has it all") {
    const auto snapshot = world();
    const auto big = make_query("big.example.com.", rrtype::a),
               huge = make_query("huge.example.com.", rrtype::txt);
    const auto tc = [&](const Packet& query, std::uint16_t payload) {
        const auto reply = ask(*snapshot, payload ? with_opt(query, {payload, 0, 0, {}}) : query);
        const bool set = reply[2] & 2;
        if (set) CHECK(get32(&reply[6]) == 0);
        CHECK(reply.size() <= std::max<std::size_t>(512, payload));
        return set;
    };
    const auto size = ask(*snapshot, with_opt(big, {})).size(); // with OPT
    CHECK(tc(big, 0));
    CHECK(tc(big, 100)); // values below 512 are taken for 512
    CHECK(tc(big, static_cast<std::uint16_t>(size - 1)));
    CHECK_FALSE(tc(big, static_cast<std::uint16_t>(size)));
    CHECK(tc(huge, 1232));
    CHECK(tc(huge, 65535)); // beyond our own limit
    CHECK(decode(ask(*snapshot, huge, over_tcp))->answer.size() == 25);
}

TEST_CASE("glue below the cut must fit or TC is set; a sibling's may be left out") {
    const auto snapshot = world();
    const auto in_domain = ask(*snapshot, make_query("x.sub.example.com.", rrtype::a));
    CHECK((in_domain[2] & 2) != 0);
    const auto sibling = decode(ask(*snapshot, make_query("x.sibling.example.com.", rrtype::a)));
    CHECK(sibling->flags == "qr");
    CHECK(sibling->authority.size() == 1);
    CHECK(sibling->additional.empty());
    CHECK(decode(ask(*snapshot, make_query("x.sub.example.com.", rrtype::a), over_tcp))->additional.size() ==
          60);
    CHECK(decode(ask(*snapshot, make_query("x.sibling.example.com.", rrtype::a), over_tcp))
              ->additional.size() == 60);
}

TEST_CASE("the answer may be written over the query") {
    const auto snapshot = world();
    auto query = with_opt(geo(), {1232, 0, 0, subnet("10.1.2.0/24")});
    const auto expected = ask(*snapshot, query);
    const std::size_t size = query.size();
    query.resize(max_udp);
    Random random(1);
    query.resize(answer({query.data(), size}, *snapshot, {}, random, query));
    CHECK(query == expected);
}
