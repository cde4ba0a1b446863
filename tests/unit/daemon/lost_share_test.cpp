// P8 on the wire: what policies decide of a lost share, through compile and answer, by 10^5 queries.
#include "config/rendezvous.hpp"
#include "dns/answer.hpp"
#include "policies/selection.hpp"

#include <array>
#include <doctest/doctest.h>
#include <map>

using namespace fairway;
using namespace fairway::policies;

namespace {

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

/// Four sites; clients in 10.N.0.0/16 are nearest to site N, by round-trip time and by region.
Model four_sites(Policy policy, std::optional<Service::LostShare> lost) {
    Model m;
    const char* names[] = {"east", "west", "eu", "asia"};
    for (const char* name : names) m.datacenters.push_back({.name = name, .region = name});
    m.clients.classes.resize(5);
    for (std::uint16_t k = 1; k <= 4; ++k) {
        ClientClass& c = m.clients.classes[k];
        c.region = names[k - 1];
        for (std::uint16_t d = 0; d < 4; ++d) // round the ring of sites, 20 ms a step
            c.rtt_ms.push_back(5.0 + 20 * ((d + 4 - (k - 1)) % 4));
        m.clients.networks.push_back({*Prefix::parse("10." + std::to_string(k) + ".0.0/16"), k});
    }
    Zone zone{.name = *Name::parse("example.com")};
    const std::vector<std::uint8_t> root{0}, soa(22, 0);
    zone.records.append(zone.name, rrtype::soa, 60, soa);
    zone.records.append(zone.name, rrtype::ns, 60, root);
    m.zones.push_back(std::move(zone));
    Service s{.name = *Name::parse("www.example.com"), .policy = std::move(policy)};
    s.lost_share = lost;
    for (DatacenterIndex d = 0; d < 4; ++d)
        s.endpoints.push_back({.datacenter = d, .addresses = {ip("192.0.2." + std::to_string(d + 1))}});
    m.services.push_back(std::move(s));
    return m;
}

AnswerPlan plan_of(const Model& m, std::optional<EndpointIndex> lost,
                   std::optional<EndpointIndex> active = {}) {
    std::vector<Candidate> list;
    for (EndpointIndex e = 0; e < 4; ++e)
        list.push_back({.endpoint = e,
                        .fit = e != lost,
                        .usable = e != lost,
                        .addresses = m.services[0].endpoints[e].addresses});
    Previous nothing_before;
    return select({m, m.services[0], list}, active, nothing_before);
}

const std::array<std::uint8_t, 33> question{0x12, 0x34, 0,   0,   0,   1,   0,   0,   0,   0,   0,
                                            0,    3,    'w', 'w', 'w', 7,   'e', 'x', 'a', 'm', 'p',
                                            'l',  'e',  3,   'c', 'o', 'm', 0,   0,   1,   0,   1};

/// Of 10^5 queries of clients in 10.`site`.0.0/16, each of a network of its own: how many each site answered.
std::array<double, 4> percent(const Model& m, const AnswerPlan& plan, int site) {
    const auto snapshot = dns::compile(m, std::vector<AnswerPlan>{plan}, 1);
    dns::Random random(7);
    std::array<double, 4> count{};
    std::array<std::uint8_t, 1232> out{};
    for (int i = 0; i < 100'000; ++i) {
        IpAddress client = ip("10.0.0.1");
        client.bytes[1] = static_cast<std::uint8_t>(site);
        client.bytes[2] = static_cast<std::uint8_t>(i);
        client.bytes[3] = static_cast<std::uint8_t>(i >> 8);
        const std::size_t size = dns::answer(question, *snapshot, {client}, random, out);
        REQUIRE(size > question.size());
        const std::uint8_t last = out[size - 1]; // the answer's one record ends with its address
        REQUIRE(last >= 1);
        REQUIRE(last <= 4);
        count[last - 1u] += 0.001;
    }
    return count;
}

void thirds(const std::array<double, 4>& before, const std::array<double, 4>& after) {
    CHECK(after[0] == 0);
    for (int i = 1; i < 4; ++i)
        CHECK((after[i] - before[i]) / before[0] * 100 ==
              doctest::Approx(100 / 3.0).epsilon(0.03)); // 1 point
}

using enum Service::LostShare;

} // namespace

TEST_CASE(
    "P8: spread over 3 equal survivors gives each a third of the lost share, 10^5 queries, every policy") {
    ActivePassive order;
    for (EndpointIndex e = 0; e < 4; ++e) order.order.push_back(e);
    Geo branches;
    branches.branches.push_back({.whom = {.regions = {"east"}}, .policy = order});
    branches.branches.push_back({.policy = Latency{}});
    for (const Policy& policy : {Policy(Weighted{}), Policy(RoundRobin{}), Policy(Latency{}), Policy(Geo{}),
                                 Policy(branches), Policy(order)}) {
        CAPTURE(to_string(policy));
        const Model m = four_sites(policy, spread);
        const bool latched = std::holds_alternative<ActivePassive>(policy);
        const auto active = [&](EndpointIndex e) { return latched ? std::optional(e) : std::nullopt; };
        thirds(percent(m, plan_of(m, {}, active(0)), 1), percent(m, plan_of(m, 0, active(1)), 1));
    }
}

TEST_CASE("P8: of clients that stick, only those of the lost site move, a third to each of the others") {
    Model m = four_sites(Sticky{}, spread);
    const auto before = plan_of(m, {}), after = plan_of(m, 0);
    std::map<int, int> moved;
    int of_the_lost = 0;
    const auto at = [](const AnswerPlan& plan, std::uint64_t network) {
        const Pool& pool = plan.pools.at(0);
        std::size_t best = 0;
        const auto rank = [&](std::size_t i) {
            return rendezvous_rank(network, pool.members[i].key, pool.members[i].weight);
        };
        for (std::size_t i = 1; i < pool.members.size(); ++i)
            if (rank(i) < rank(best)) best = i;
        return static_cast<int>(plan.choices[pool.members[best].choice].endpoint);
    };
    for (int i = 0; i < 100'000; ++i) {
        IpAddress client = ip("20.0.0.1");
        client.bytes[1] = static_cast<std::uint8_t>(i >> 8);
        client.bytes[2] = static_cast<std::uint8_t>(i);
        client.bytes[0] = static_cast<std::uint8_t>(20 + (i >> 16));
        const std::uint64_t network = sticky_network(client);
        const int was = at(before, network), is = at(after, network);
        if (was != 0) CHECK(is == was);
        else ++of_the_lost, ++moved[is];
    }
    for (int e = 1; e < 4; ++e)
        CHECK(100.0 * moved[e] / of_the_lost == doctest::Approx(100 / 3.0).epsilon(0.03));
}

TEST_CASE("P8: next hands the lost share to one site alone, and clients of others stay where they are") {
    for (const Policy& policy :
         {Policy(Latency{}), Policy(Geo{}), Policy(RoundRobin{}), Policy(Weighted{})}) {
        CAPTURE(to_string(policy));
        const bool by_client = topological(policy);
        const Model m = four_sites(policy, next);
        const auto now = percent(m, plan_of(m, 0), 1);
        if (by_client) CHECK(now[1] == doctest::Approx(100));
        else CHECK(now[1] == doctest::Approx(50).epsilon(0.02));
        if (by_client) CHECK(percent(m, plan_of(m, 0), 3)[2] == doctest::Approx(100));
    }
    // what is not said is each policy's own way
    const Model nearest = four_sites(Latency{}, {}), weighted = four_sites(Weighted{}, {});
    CHECK(percent(nearest, plan_of(nearest, 0), 1)[1] == doctest::Approx(100));
    CHECK(percent(weighted, plan_of(weighted, 0), 1)[1] == doctest::Approx(100 / 3.0).epsilon(0.03));
    const Model spreads = four_sites(Latency{}, spread);
    CHECK(percent(spreads, plan_of(spreads, 0), 3)[2] == doctest::Approx(100)); // theirs is not lost
}
