#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("D5, L14: 20 s without a primary in an ordinary switchover: no empty answer, exactly one move") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{sites(2, {{"shop", automatic}}), seed};
        s.runs(1min);
        auto begun = s.now();
        s.database("east").steps_down();
        s.runs(20s);
        s.database("west").promote();
        s.runs(5min);
        CHECK(s.moves("shop", begun) == 1);
        CHECK(s.answers("shop") == "west");
        CHECK_FALSE(s.said("shop", "SERVFAIL", begun));
        CHECK(s.count(Change::no_primary_critical, begun) == 0);
        CHECK(s.runbook().runs().empty()); // not raced
    }
}

TEST_CASE("D5, D7, L14: no primary and nobody to promote one: the answer is held without limit, critical at "
          "its time") {
    Drill s{sites(2, {{"shop", follow}})};
    s.runs(1min);
    auto death = s.kill("east");
    s.runs(a_quiet_day());
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", death) == 0);
    REQUIRE(s.count(Change::no_primary_critical) == 1);
    auto critical = *s.first(Change::no_primary_critical) - death;
    CHECK(critical >= 60s);
    CHECK(critical <= 60s + 9s);
    CHECK(s.report("shop").state == "held: no primary");
    CHECK(s.alarm("no_primary"));
    CHECK(s.database("west").role() == fairway::Role::standby); // never promoted by us
    // and when a person promotes, it moves
    auto promoted = s.now();
    s.database("west").promote();
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
    CHECK(*s.first("shop", "west", promoted) - promoted <= 2s + 800ms);
    CHECK_FALSE(s.alarm("no_primary"));
}

TEST_CASE("L14: on_no_primary: standby answers a standby that reads, once it has lasted") {
    Drill s{sites(2, {{"shop", follow + "on_no_primary: standby\n"}})};
    s.runs(1min);
    auto death = s.kill("east");
    s.runs(50s);
    CHECK(s.answers("shop") == "east");
    s.runs(30s);
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", death) == 1);
    // and back to the role when there is one
    s.revive("east");
    s.runs(1min);
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("L14: on_no_primary: on_all_down asks what the service answers when nothing is fit") {
    Drill s{
        sites(2, {{"shop", follow + "on_no_primary: on_all_down\non_all_down: {static: [192.0.2.99]}\n"}})};
    s.runs(1min);
    s.kill("east");
    s.runs(50s);
    CHECK(s.answers("shop") == "east");
    s.runs(30s);
    CHECK(s.answers("shop") == "fixed");
    s.database("west").promote();
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L14: no_primary_hold is the service's own") {
    Drill s{sites(2, {{"shop", follow + "no_primary_hold: 10m\n"}})};
    s.runs(1min);
    auto death = s.kill("east");
    s.runs(9min);
    CHECK(s.count(Change::no_primary_critical) == 0);
    s.runs(2min);
    CHECK(*s.first(Change::no_primary_critical) - death >= 10min);
}

TEST_CASE("L14: priority, latch and failback do not apply: the role alone moves traffic") {
    Drill s{sites(
        2,
        {{"shop", "policy: {type: active_passive, follow: primary, order: [east, west]}\napplication: web\n"
                  "stateful: db\n"}})};
    s.runs(1min);
    s.database("east").steps_down();
    s.database("west").promote();
    s.runs(a_quiet_day());
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", 1min) == 1);
}
