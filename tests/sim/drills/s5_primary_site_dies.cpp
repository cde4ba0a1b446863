#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE(
    "S5, D7, L15: the primary site dies: it is fenced, its standby promoted, and traffic follows the role") {
    std::vector<fairway::Duration> times;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        // given: two sites, a database that replicates, a runbook that may act by itself
        Drill s{sites(2, {{"shop", automatic}}), seed};
        s.runs(1min);
        REQUIRE(s.answers("shop") == "east");
        // when
        s.runs(Random(seed).between(0s, 2s));
        auto death = s.kill("east");
        s.runs(1min);
        // then: fence and promote, in this order, once
        CHECK(s.runbook().text() == "fence east, promote west");
        CHECK(s.answers("shop") == "west");
        CHECK(s.moves("shop", death) == 1);
        CHECK_FALSE(s.said("shop", "SERVFAIL", death));
        CHECK(s.count(Change::no_primary, death) == 1);
        CHECK(s.count(Change::switch_done, death) == 1);
        CHECK_FALSE(s.report("shop").running);
        // silence confirmed (9 s), two programs of a second each, an interval and a re-test until the role is
        // seen
        auto moved = *s.first("shop", "west", death) - death;
        CHECK(moved <= 9s + 2s + 2s + 800ms);
        times.push_back(moved);
    }
    std::ranges::sort(times);
    MESSAGE("from death to the right answer: best ", seconds(times.front()), " s, median ",
            seconds(times[times.size() / 2]), " s, worst ", seconds(times.back()), " s");
}

TEST_CASE(
    "S5, L12: failback is a separate act: the old site returns as a standby, and nothing moves until asked") {
    Drill s{
        sites(2, {{"shop", follow + "failover: automatic\n"
                                    "hooks: {fence: {exec: [/srv/fence]}, promote: {exec: [/srv/promote]}, "
                                    "failback: {exec: [/srv/switchover]}}\n"}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    REQUIRE(s.answers("shop") == "west");
    // when east is repaired and rejoined
    auto back = s.revive("east");
    s.database("east").rejoin();
    s.runs(a_quiet_day());
    CHECK(s.moves("shop", back) == 0);
    // and the operator asks
    auto asked = s.now();
    CHECK(s.failback("shop").accepted);
    s.runs(1min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", asked) == 1);
    CHECK(s.runbook().text(asked) == "failback east");
    CHECK(s.count(Change::two_primaries) == 0);
    CHECK_FALSE(s.critical("shop", asked));
}

TEST_CASE("S5, L17: with approval: alerted at once, held, and switched when a person says so") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    auto death = s.kill("east");
    s.runs(30s);
    // then: it is known, it waits, nothing was run
    CHECK(s.count(Change::switch_waiting, death) == 1);
    CHECK(*s.first(Change::switch_waiting, death) - death <= 9s + 100ms);
    CHECK(s.critical("shop", death));
    CHECK(s.runbook().runs().empty());
    CHECK(s.answers("shop") == "east");
    auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    // when
    CHECK(s.approve(id).accepted);
    s.runs(30s);
    // then
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", death) == 1);
}

TEST_CASE("S7: two names, each with its primary in the other site, fail over independently") {
    auto yaml =
        sites_with(2, {"one", automatic}, "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1]}\n") +
        "  two.gtm.example.com:\n    policy: {type: active_passive, follow: primary}\n    application: web\n"
        "    stateful: db\n    failover: automatic\n"
        "    hooks: {fence: {exec: [/srv/fence]}, promote: {exec: [/srv/promote]}}\n    endpoints:\n"
        "      west: {addresses: [10.2.0.2]}\n      east: {addresses: [10.1.0.2]}\n";
    Drill s{yaml};
    s.runs(1min);
    REQUIRE(s.answers("one") == "east");
    REQUIRE(s.answers("two") == "west");
    auto death = s.kill("east");
    s.runs(1min);
    CHECK(s.answers("one") == "west");
    CHECK(s.answers("two") == "west");
    CHECK(s.moves("two", death) == 0);
}
