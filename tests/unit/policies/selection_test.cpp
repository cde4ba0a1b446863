// P1: filter, order, choose, for every policy over every state of up to five endpoints.
#include "policies/selection.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <functional>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

enum class Be { out, braked, degraded, fit };

std::vector<Candidate> candidates(const Service& s, const std::vector<Be>& states) {
    std::vector<Candidate> list;
    for (EndpointIndex e = 0; e < states.size(); ++e)
        list.push_back({.endpoint = e,
                        .fit = states[e] >= Be::degraded,
                        .usable = states[e] != Be::out,
                        .addresses = s.endpoints[e].addresses,
                        .weight = s.endpoints[e].weight,
                        .degraded = states[e] == Be::degraded});
    return list;
}

/// Every state of `n` endpoints.
void each_state(std::size_t n, const std::function<void(const std::vector<Be>&)>& f) {
    std::vector<Be> states(n, Be::out);
    for (;;) {
        f(states);
        std::size_t i = 0;
        while (i < n && states[i] == Be::fit) states[i++] = Be::out;
        if (i == n) return;
        states[i] = static_cast<Be>(static_cast<int>(states[i]) + 1);
    }
}

AnswerPlan planned(const Model& m, const std::vector<Be>& states, std::optional<EndpointIndex> active = {}) {
    Previous nothing_before;
    return select({m, m.services[0], candidates(m.services[0], states)}, active, nothing_before);
}

/// The endpoint that ranks first: whole before degraded before braked, then by `cost`, then the earlier one.
std::optional<EndpointIndex> best(const std::vector<Be>& states, const std::vector<double>& cost) {
    std::optional<EndpointIndex> found;
    for (Be wanted : {Be::fit, Be::degraded, Be::braked}) {
        for (EndpointIndex e = 0; e < states.size(); ++e)
            if (states[e] == wanted && (!found || cost[e] < cost[*found])) found = e;
        if (found) return found;
    }
    return found;
}

} // namespace

TEST_CASE("P1: active/passive answers the first fit endpoint of its order, else the first braked one") {
    const std::vector<std::vector<EndpointIndex>> orders{
        {0}, {1, 0}, {2, 0, 1}, {3, 1, 2, 0}, {4, 2, 0, 1, 3}};
    for (std::size_t n = 1; n <= 5; ++n) {
        Model m = world(n);
        serve(m, "www", ActivePassive{.order = orders[n - 1]});
        std::vector<double> rank(n);
        for (std::size_t i = 0; i < n; ++i) rank[orders[n - 1][i]] = static_cast<double>(i);
        each_state(n, [&](const std::vector<Be>& states) {
            auto expected = best(states, rank);
            AnswerPlan plan = planned(m, states);
            if (!expected) {
                CHECK(plan.kind == AnswerPlan::Kind::servfail);
                return;
            }
            CHECK(plan.kind == AnswerPlan::Kind::draw);
            REQUIRE(plan.choices.size() == 1);
            CHECK(plan.choices[0].endpoint == *expected);
            CHECK(plan.choices[0].addresses == m.services[0].endpoints[*expected].addresses);
        });
    }
}

TEST_CASE("P1: weighted shares the answers among fit and braked endpoints by their weights, weight 0 never") {
    const unsigned weights[] = {70, 20, 0, 10, 1};
    const auto share = [&](const std::vector<Be>& states, EndpointIndex e) { // what is degraded counts half
        if (states[e] == Be::out) return 0u;
        return weights[e] * (states[e] == Be::degraded ? 1 : 2);
    };
    for (std::size_t n = 1; n <= 5; ++n) {
        Model m = world(n);
        Service& s = serve(m, "www", Weighted{});
        for (std::size_t i = 0; i < n; ++i) s.endpoints[i].weight = weights[i];
        each_state(n, [&](const std::vector<Be>& states) {
            AnswerPlan plan = planned(m, states);
            std::vector<EndpointIndex> expected, found;
            unsigned total = 0, planned_total = 0;
            for (EndpointIndex e = 0; e < n; ++e) {
                if (share(states, e) > 0) expected.push_back(e);
                total += share(states, e);
            }
            for (const Choice& c : plan.choices) {
                found.push_back(c.endpoint);
                planned_total += c.weight;
                CHECK(c.addresses == s.endpoints[c.endpoint].addresses);
            }
            CHECK(found == expected);
            for (const Choice& c : plan.choices)
                CHECK(c.weight * total == share(states, c.endpoint) * planned_total);
            if (std::ranges::find(states, Be::degraded) == states.end())
                for (const Choice& c : plan.choices) CHECK(c.weight == weights[c.endpoint]); // as configured
            CHECK(plan.kind == (expected.empty() ? AnswerPlan::Kind::servfail : AnswerPlan::Kind::draw));
        });
    }
}

TEST_CASE("P1: latency answers each class of clients the nearest fit endpoint, else the nearest braked one") {
    const std::vector<std::vector<double>> rtts{{30, 10, 20, 10, 5}, {1, 2, 3, 4, 5}, {7, 7, 7, 7, 7}};
    for (std::size_t n = 1; n <= 5; ++n) {
        Model m = world(n);
        serve(m, "www", Latency{});
        m.clients.classes.clear();
        for (auto& r : rtts) {
            ClientClass k;
            for (std::size_t i = 0; i < n; ++i) k.rtt_ms.push_back(r[i]);
            m.clients.classes.push_back(k);
        }
        each_state(n, [&](const std::vector<Be>& states) {
            AnswerPlan plan = planned(m, states);
            if (!best(states, rtts[0])) {
                CHECK(plan.kind == AnswerPlan::Kind::servfail);
                return;
            }
            CHECK(plan.kind == AnswerPlan::Kind::by_client);
            REQUIRE(plan.by_client.size() == rtts.size());
            for (std::size_t k = 0; k < rtts.size(); ++k)
                CHECK(plan.choices.at(plan.by_client[k]).endpoint == best(states, rtts[k]));
            for (std::size_t i = 0; i < plan.choices.size(); ++i) // and no choice that nobody is given
                CHECK(std::ranges::count(plan.by_client, i) > 0);
        });
    }
}

TEST_CASE("a latched site is answered whatever its order") {
    Model m = world(3);
    serve(m, "www", in_order(3));
    CHECK(planned(m, {Be::fit, Be::fit, Be::fit}, EndpointIndex{2}).choices.at(0).endpoint == 2);
}

TEST_CASE(
    "L7: weight 0 and a place outside the order count as excluded; the role decides where it is followed") {
    Model m = world(3);
    Service& weighted = serve(m, "a", Weighted{});
    weighted.endpoints[1].weight = 0;
    CHECK(named(weighted, 0));
    CHECK_FALSE(named(weighted, 1));

    Service& near = serve(m, "b", Latency{});
    near.endpoints[1].weight = 0;
    CHECK(named(near, 0));
    CHECK_FALSE(named(near, 1));

    Service& ordered = serve(m, "c", ActivePassive{.order = {2, 0}});
    ordered.endpoints[0].weight = 0;
    CHECK_FALSE(named(ordered, 0));
    CHECK_FALSE(named(ordered, 1));
    CHECK(named(ordered, 2));

    Service& follow = follow_service(m, "d");
    CHECK(named(follow, 1));
}

TEST_CASE("P1: round robin answers each usable endpoint as often as the others, whatever the weights") {
    Model m = world(3);
    Service& s = serve(m, "www", RoundRobin{});
    s.endpoints[0].weight = 70;
    s.endpoints[1].weight = 0; // excluded (L7)
    each_state(3, [&](const std::vector<Be>& states) {
        auto plan = planned(m, states);
        std::vector<EndpointIndex> wanted;
        for (EndpointIndex e : {EndpointIndex{0}, EndpointIndex{2}})
            if (states[e] != Be::out) wanted.push_back(e);
        CHECK(plan.choices.size() == wanted.size());
        const auto lessened = [&](EndpointIndex e) { return states[e] == Be::degraded; };
        const bool some = std::ranges::any_of(wanted, lessened), all = std::ranges::all_of(wanted, lessened);
        for (std::size_t i = 0; i < plan.choices.size(); ++i) {
            CHECK(plan.choices[i].endpoint == wanted[i]);
            CHECK(plan.choices[i].weight == (some && !all && !lessened(wanted[i]) ? 2 : 1));
        }
    });
}

TEST_CASE("L8, P1: a name is an answer as good as an address, when nothing is fit too") {
    Model m = world(2);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[0].addresses.clear();
    s.endpoints[0].cname = Name::parse("lb.example.net");
    s.endpoints[0].targets[web] = {{.host = std::string("lb.example.net"), .port = 443}};
    auto list = candidates(s, {Be::fit, Be::fit});
    list[0].cname = s.endpoints[0].cname;
    Previous nothing_before;
    auto plan = select({m, s, list}, {}, nothing_before);
    REQUIRE(plan.choices.size() == 2);
    CHECK(plan.choices[0].cname == s.endpoints[0].cname);
    CHECK_FALSE(plan.choices[1].cname);

    Desk d(m);
    d.pass_time(30s);
    CHECK(d.answer() == "east+west"); // never looked at: as if all were up
    CHECK(d.engine.plan(0).choices[0].cname == s.endpoints[0].cname);
}
