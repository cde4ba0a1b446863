// Pools as they are answered: P8 and P9 (shares, and who moves), N4 (the scope is what was really used).
#include "config/rendezvous.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

#include <map>
#include <set>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

/// Four sites, one choice each: 192.0.2.1 to .4.
AnswerPlan sites(std::vector<Pool> pools, std::vector<std::uint16_t> by_client = {}) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::pooled};
    for (EndpointIndex e = 0; e < 4; ++e)
        plan.choices.push_back({e, {ip("192.0.2." + std::to_string(e + 1))}});
    plan.pools = std::move(pools);
    plan.by_client = std::move(by_client);
    return plan;
}

Pool pool(Pool::How how, const std::map<unsigned, std::uint32_t>& weights) {
    Pool p{.how = how};
    for (const auto& [choice, weight] : weights)
        p.members.push_back(
            {static_cast<std::uint16_t>(choice), weight, rendezvous_key("site" + std::to_string(choice))});
    return p;
}

SnapshotPtr world(const AnswerPlan& plan) {
    Model m;
    m.zones = {zone_of("example.com", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1"})};
    m.services.resize(1);
    m.services[0].name = *Name::parse("www.example.com");
    m.clients.classes.resize(2);
    m.clients.networks = {{*Prefix::parse("10.0.0.0/8"), 1}, {*Prefix::parse("2001:db8::/32"), 1}};
    return compile(m, std::vector<AnswerPlan>{plan}, 1);
}

IpAddress network(unsigned i) {
    IpAddress a = ip("100.0.0.1");
    a.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    a.bytes[2] = static_cast<std::uint8_t>(i);
    return a;
}

std::set<std::string> answered(const Snapshot& s, const IpAddress& client, std::uint64_t seed = 1) {
    std::set<std::string> out;
    const auto reply = decode(ask(s, make_query("www.example.com.", rrtype::a), {client}, seed));
    REQUIRE(reply);
    for (const std::string& line : reply->answer) out.insert(line.substr(line.rfind(' ') + 1));
    return out;
}

unsigned scope_of(const Snapshot& s, const std::string& told) {
    const auto reply =
        ask(s, with_opt(make_query("www.example.com.", rrtype::a), {1232, 0, 0, subnet(told)}));
    const std::size_t size = subnet(told).size();
    return reply.at(reply.size() - size + 7);
}

} // namespace

TEST_CASE("P9: a client network keeps its datacenter, by weight, and only the lost share moves") {
    const std::map<unsigned, std::uint32_t> weights{{0, 40}, {1, 30}, {2, 20}, {3, 10}};
    auto fewer = weights;
    fewer.erase(1);
    const auto all = world(sites({pool(Pool::How::stick, weights)})),
               lost = world(sites({pool(Pool::How::stick, fewer)}));
    std::map<std::string, unsigned> before, after;
    unsigned moved = 0;
    constexpr unsigned networks = 20000;
    for (unsigned i = 0; i < networks; ++i) {
        const auto a = answered(*all, network(i)), b = answered(*lost, network(i));
        REQUIRE(a.size() == 1);
        CHECK(answered(*all, network(i), 7) == a); // chance has no part in it
        ++before[*a.begin()];
        ++after[*b.begin()];
        if (*a.begin() == "192.0.2.2") continue;
        moved += a != b;
    }
    CHECK(moved == 0);
    for (const auto& [site, weight] : weights) {
        const double share = before["192.0.2." + std::to_string(site + 1)] * 100.0 / networks;
        CHECK(share == doctest::Approx(weight).epsilon(0.01 * 100 / weight)); // 1 point
    }
    for (const auto& [site, weight] : fewer) // the lost share is spread by weight, too
        CHECK(after["192.0.2." + std::to_string(site + 1)] * 70.0 / networks ==
              doctest::Approx(weight).epsilon(0.05));
}

TEST_CASE("P8: a lost third is taken over by three equal survivors, a third of it each") {
    const auto equal = [](unsigned lost) {
        std::map<unsigned, std::uint32_t> w{{0, 1}, {1, 1}, {2, 1}, {3, 1}};
        w.erase(lost);
        return w;
    };
    for (const auto how : {Pool::How::stick, Pool::How::draw}) {
        const auto s = world(sites({pool(how, equal(9))}, {})),
                   after = world(sites({pool(how, equal(3))}, {}));
        std::map<std::string, double> gained;
        constexpr unsigned queries = 20000;
        for (unsigned i = 0; i < queries; ++i) {
            ++gained[*answered(*after, network(i), i + 1).begin()];
            --gained[*answered(*s, network(i), i + 77).begin()];
        }
        for (unsigned site = 1; site <= 3; ++site) // of the lost quarter
            CHECK(gained["192.0.2." + std::to_string(site)] * 100 / (queries / 4.0) ==
                  doctest::Approx(33.3).epsilon(how == Pool::How::stick ? 0.05 : 0.1));
    }
}

TEST_CASE("each class has its pool: draw, stick, or all of them at once") {
    const auto s = world(sites(
        {pool(Pool::How::all, {{0, 1}, {1, 1}, {2, 1}}), pool(Pool::How::draw, {{2, 1}, {3, 3}})}, {0, 1}));
    CHECK(answered(*s, ip("192.0.2.99")) == std::set<std::string>{"192.0.2.1", "192.0.2.2", "192.0.2.3"});
    unsigned often = 0;
    for (unsigned i = 1; i <= 4000; ++i) {
        const auto one = answered(*s, ip("10.1.1.1"), i);
        REQUIRE(one.size() == 1);
        often += one == std::set<std::string>{"192.0.2.4"};
    }
    CHECK(often == doctest::Approx(3000).epsilon(0.05));
}

TEST_CASE("N4: the scope is the network that sticks, or the longer one that names the pool") {
    const auto sticky = world(sites({pool(Pool::How::stick, {{0, 1}, {1, 1}})}));
    CHECK(scope_of(*sticky, "100.1.2.0/24") == 24);
    CHECK(scope_of(*sticky, "2001:db8:1:2300::/56") == 56);
    const auto mixed = world(
        sites({pool(Pool::How::stick, {{0, 1}, {1, 1}}), pool(Pool::How::draw, {{2, 1}, {3, 3}})}, {0, 1}));
    CHECK(scope_of(*mixed, "10.1.2.0/24") == 8); // a draw depends on the class alone
    CHECK(scope_of(*mixed, "100.1.2.0/24") == 24);
    const auto alone = world(sites({pool(Pool::How::draw, {{0, 1}, {1, 1}})}));
    CHECK(scope_of(*alone, "10.1.2.0/24") == 0);
}

TEST_CASE("a plan compiled twice is equal, and a pool of names is answered as names") {
    const auto plan =
        sites({pool(Pool::How::stick, {{0, 1}, {1, 2}}), pool(Pool::How::all, {{2, 1}, {3, 1}})}, {0, 1});
    CHECK(*world(plan)->services[0] == *world(plan)->services[0]);
    auto other = plan;
    other.pools[0].members[0].weight = 3;
    CHECK_FALSE(*world(plan)->services[0] == *world(other)->services[0]);
    other = plan;
    other.choices[0] = {0, {}, 1, Name::parse("lb.example.net")};
    const auto reply = decode(ask(*world(other), make_query("www.example.com.", rrtype::aaaa), {network(0)}));
    REQUIRE(reply);
}
