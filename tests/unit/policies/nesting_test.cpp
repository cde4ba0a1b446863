// P1: one model for every policy, at every level: all states of up to five endpoints, each policy in a branch
// of a branch, against a reference that knows nothing of pools.
#include "policies/selection.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <functional>
#include <set>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

enum class Be { out, braked, fit };
using States = std::vector<Be>;
using Sites = std::map<EndpointIndex, unsigned>; ///< who may be answered, and with which weight

void each_state(std::size_t n, const std::function<void(const States&)>& f) {
    States states(n, Be::out);
    for (;;) {
        f(states);
        std::size_t i = 0;
        while (i < n && states[i] == Be::fit) states[i++] = Be::out;
        if (i == n) return;
        states[i] = static_cast<Be>(static_cast<int>(states[i]) + 1);
    }
}

/// What clients of a class may be told, by the words of the law.
Sites reference(const Policy& policy, const Model& m, const States& states, const ClientClass& clients) {
    const Service& s = m.services[0];
    auto first = [&](const std::vector<EndpointIndex>& order) {
        for (Be wanted : {Be::fit, Be::braked})
            for (EndpointIndex e : order)
                if (states[e] == wanted) return Sites{{e, 1}};
        return Sites{};
    };
    auto spread = [&](const std::vector<unsigned>& weights, bool only_best) {
        Sites out;
        bool fit = std::ranges::count(states, Be::fit) > 0;
        for (EndpointIndex e = 0; e < states.size(); ++e) {
            unsigned w = weights.empty() ? s.endpoints[e].weight : weights[e];
            bool in = states[e] == Be::fit || (states[e] == Be::braked && !(only_best && fit));
            if (in && w > 0) out[e] = w;
        }
        return out;
    };
    auto by_cost = [&](auto cost) {
        std::vector<EndpointIndex> order;
        for (EndpointIndex e = 0; e < states.size(); ++e) order.push_back(e);
        std::ranges::stable_sort(order, {}, cost);
        return first(order);
    };
    if (auto* p = std::get_if<ActivePassive>(&policy)) return first(p->order);
    if (auto* p = std::get_if<Weighted>(&policy)) return spread(p->weights, false);
    if (auto* p = std::get_if<Sticky>(&policy)) return spread(p->weights, false);
    if (std::holds_alternative<Latency>(policy))
        return by_cost([&](EndpointIndex e) { return clients.rtt_ms.at(e).value(); });
    if (std::holds_alternative<RoundRobin>(policy) || std::holds_alternative<All>(policy)) {
        Sites out = spread({}, std::holds_alternative<All>(policy));
        for (auto& [_, w] : out) w = 1;
        return out;
    }
    auto& geo = std::get<Geo>(policy);
    if (geo.branches.empty())
        return by_cost([&](EndpointIndex e) { return m.datacenters[e].region == clients.region ? 0 : 1; });
    for (const Branch& b : geo.branches) {
        bool country = b.whom.countries.empty() || b.whom.countries.front() == clients.country;
        Sites out = country ? reference(b.policy, m, states, clients) : Sites{};
        for (auto& [e, _] : out)
            if (states[e] == Be::fit) return out;
    }
    std::vector<EndpointIndex> all;
    for (EndpointIndex e = 0; e < states.size(); ++e) all.push_back(e);
    return first(all);
}

/// Where there is one, its weight says nothing.
Sites alone(Sites sites) {
    if (sites.size() == 1) sites.begin()->second = 1;
    return sites;
}

Sites planned(const AnswerPlan& plan, std::size_t k) {
    Sites out;
    if (plan.kind == AnswerPlan::Kind::draw)
        for (auto& c : plan.choices) out[c.endpoint] = c.weight;
    if (plan.kind == AnswerPlan::Kind::by_client) out[plan.choices.at(plan.by_client.at(k)).endpoint] = 1;
    if (plan.kind == AnswerPlan::Kind::pooled)
        for (auto& m : plan.pools.at(plan.by_client.empty() ? 0 : plan.by_client.at(k)).members)
            out[plan.choices.at(m.choice).endpoint] = m.weight;
    return alone(out);
}

/// A world of `n` sites whose clients are in Germany, in France, or nobody knows where.
Model some_world(std::size_t n) {
    Model m = world(n);
    for (std::size_t i = 0; i < n; ++i) m.datacenters[i].region = site_name(i);
    m.clients.classes.clear();
    const std::vector<double> rtts{30, 10, 20, 10, 40};
    for (const char* country : {"", "DE", "FR"}) {
        ClientClass k{.region = site_name(m.clients.classes.size()), .country = country};
        for (std::size_t i = 0; i < n; ++i) k.rtt_ms.push_back(rtts[i]);
        m.clients.classes.push_back(k);
    }
    serve(m, "www", Weighted{});
    const unsigned weights[] = {70, 20, 5, 5, 10};
    for (std::size_t i = 0; i < n; ++i) m.services[0].endpoints[i].weight = weights[i];
    return m;
}

std::vector<Policy> leaves(std::size_t n) {
    std::vector<EndpointIndex> backwards;
    for (std::size_t i = n; i-- > 0;) backwards.push_back(static_cast<EndpointIndex>(i));
    std::vector<unsigned> only_last(n, 0);
    only_last.back() = 3;
    return {ActivePassive{backwards},
            ActivePassive{{0}},
            Weighted{},
            Weighted{only_last},
            RoundRobin{},
            Latency{.margin_absolute = {}, .margin_relative = 0},
            Geo{},
            Sticky{},
            Sticky{only_last},
            All{}};
}

Whom in(const char* country) { return {.countries = {country}}; }

} // namespace

TEST_CASE(
    "P1: every policy in a branch of a branch, for every state and every client, is what the law says") {
    std::size_t rows = 0;
    for (std::size_t n = 1; n <= 5; ++n)
        for (const Policy& inner : leaves(n))
            for (const Policy& outer : leaves(n)) {
                Model m = some_world(n);
                Geo nested{{{in("DE"), inner}, {{}, outer}}};
                m.services[0].policy = Geo{{{in("FR"), inner}, {in("DE"), nested}, {{}, outer}}};
                each_state(n, [&](const States& states) {
                    std::vector<Candidate> list;
                    for (EndpointIndex e = 0; e < n; ++e) {
                        const Endpoint& at = m.services[0].endpoints[e];
                        bool fit = states[e] == Be::fit;
                        list.push_back({e, fit, states[e] != Be::out, at.addresses, at.weight});
                    }
                    Previous nothing_before;
                    AnswerPlan plan = select({m, m.services[0], list}, {}, nothing_before);
                    for (std::size_t k = 0; k < 3; ++k, ++rows)
                        CHECK(planned(plan, k) ==
                              alone(reference(m.services[0].policy, m, states, m.clients.classes[k])));
                });
            }
    CHECK(rows == 3 * 100 * (3 + 9 + 27 + 81 + 243));
}

TEST_CASE("P1: by itself, too, each policy is what the law says") {
    for (std::size_t n = 1; n <= 5; ++n)
        for (const Policy& policy : leaves(n)) {
            Model m = some_world(n);
            m.services[0].policy = policy;
            each_state(n, [&](const States& states) {
                std::vector<Candidate> list;
                for (EndpointIndex e = 0; e < n; ++e) {
                    const Endpoint& at = m.services[0].endpoints[e];
                    list.push_back({e, states[e] == Be::fit, states[e] != Be::out, at.addresses, at.weight});
                }
                Previous nothing_before;
                AnswerPlan plan = select({m, m.services[0], list}, {}, nothing_before);
                for (std::size_t k = 0; k < 3; ++k)
                    CHECK(planned(plan, k) == alone(reference(policy, m, states, m.clients.classes[k])));
            });
        }
}

TEST_CASE("L7: what no branch names counts as excluded") {
    Model m = some_world(4);
    Service& s = m.services[0];
    s.policy = Geo{{{in("DE"), ActivePassive{{2}}}, {{}, Weighted{{0, 1, 0, 0}}}}};
    CHECK_FALSE(named(s, 0));
    CHECK(named(s, 1));
    CHECK(named(s, 2));
    CHECK_FALSE(named(s, 3));
    s.policy = Geo{{{{}, RoundRobin{}}}};
    CHECK(named(s, 0));
    s.endpoints[0].weight = 0;
    CHECK_FALSE(named(s, 0));
}

TEST_CASE("a branch is for those for whom each thing that it says holds") {
    ClientClass berlin{.region = "eu", .country = "DE", .continent = "EU", .asn = 64500, .lists = {0, 2}};
    CHECK(matches({}, berlin));
    CHECK(matches({}, {}));
    CHECK(matches({.regions = {"us", "eu"}, .asns = {64500}}, berlin));
    CHECK_FALSE(matches({.regions = {"us", "eu"}, .asns = {64501}}, berlin));
    CHECK_FALSE(matches({.countries = {"FR"}}, berlin));
    CHECK(matches({.continents = {"EU"}, .networks = 2}, berlin));
    CHECK_FALSE(matches({.networks = 1}, berlin));
    CHECK_FALSE(matches({.continents = {"EU"}}, {})); // of whom nothing is known is nowhere
}

TEST_CASE("each choice's share of the answers adds up to all of them, whatever the kind of plan") {
    for (const Policy& policy : leaves(4)) {
        Model m = some_world(4);
        m.services[0].policy = Geo{{{in("DE"), policy}, {{}, Weighted{}}}};
        std::vector<Candidate> list;
        for (EndpointIndex e = 0; e < 4; ++e)
            list.push_back(
                {e, true, true, m.services[0].endpoints[e].addresses, m.services[0].endpoints[e].weight});
        Previous nothing_before;
        double sum = 0;
        for (double share : shares(select({m, m.services[0], list}, {}, nothing_before))) sum += share;
        CHECK(sum == doctest::Approx(1));
    }
}
