#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
/// By hand everywhere: what is told here is who is believed, not who acts.
const auto by_hand = sites(2, {{"shop", follow}});

/// East dies, west is promoted by hand: timeline 2 is followed.
void west_takes_over(Drill& s) {
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    s.kill("east");
    s.runs(20s);
    s.database("west").promote();
    s.runs(10s);
    REQUIRE(s.answers("shop") == "west");
}
} // namespace

TEST_CASE("D3, D4, L13: an old primary that comes back with its old timeline is never followed") {
    Drill s{by_hand};
    west_takes_over(s);
    auto back = s.revive("east");
    s.runs(1h);
    CHECK(s.moves("shop", back) == 0);
    CHECK(s.count(Change::stale_claim, back) == 1);
    CHECK(s.critical("shop", back));
    for (const auto& a : s.report().alarms)
        if (a.id == "stale_claim")
            CHECK(a.text == "east claims to be primary and is not believed; `fairwayctl failover "
                            "shop.gtm.example.com --to east --accept-claim` takes it");

    SUBCASE("not even as the only claim") {
        auto alone = s.kill("west");
        s.runs(1h);
        CHECK(s.answers("shop") == "west");
        CHECK(s.moves("shop", alone) == 0);
        CHECK(s.count(Change::no_primary, alone) == 1);
    }
    SUBCASE("not after a restart either") {
        s.kill("west");
        s.restart(2h);
        s.runs(10min);
        CHECK(s.answers("shop") == "west");
        CHECK_FALSE(s.named("shop", "east", back));
    }
    SUBCASE("unless an operator accepts the claim") {
        s.kill("west");
        s.runs(1min);
        CHECK(s.failover("shop", "east", true).accepted);
        s.runs(10s);
        CHECK(s.answers("shop") == "east");
        s.runs(1h);
        CHECK(s.answers("shop") == "east");
    }
}

TEST_CASE(
    "D4, L13: two fresh claims of which one is newer: nothing moves, and it is critical within an interval") {
    Drill s{by_hand};
    s.runs(1min);
    auto split = s.now();
    s.world().cut("east", "west");
    s.database("west").promote(); // timeline 2, east lives on timeline 1
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", split) == 0);
    REQUIRE(s.first(Change::two_primaries, split));
    CHECK(*s.first(Change::two_primaries, split) - split <= 2s + 250ms + 4 * 10ms);
    CHECK(s.critical("shop", split));
    CHECK(s.count(Change::two_primaries, split) == 1);
    CHECK(s.report("shop").reason.starts_with("east and west are primary at the same time"));
    for (const auto& a : s.report().alarms)
        if (a.id == "two_primaries")
            CHECK(a.text == "east and west are primary at the same time: nothing moves");

    SUBCASE("once the followed one is gone, the other is followed") {
        auto gone = s.now();
        s.database("east").rejoin();
        s.runs(10s);
        CHECK(s.answers("shop") == "west");
        CHECK(s.moves("shop", gone) == 1);
        CHECK(s.count(Change::two_primaries_over, gone) == 1);
    }
    SUBCASE("once the other is gone, all is as before") {
        s.database("west").rejoin();
        s.runs(1min);
        CHECK(s.answers("shop") == "east");
        CHECK(s.moves("shop", split) == 0);
        CHECK(s.count(Change::two_primaries_over, split) == 1);
    }
    SUBCASE("a restart in the middle believes neither more") {
        s.restart(5s);
        s.runs(10min);
        CHECK(s.moves("shop", split) == 0);
        CHECK(s.answers("shop") == "east");
        s.restart(10min);
        s.runs(10min);
        CHECK(s.answers("shop") == "east");
    }
}

TEST_CASE("D4, L13: two fresh claims of the same epoch: nothing moves either") {
    Drill s{by_hand};
    s.runs(1min);
    auto split = s.now();
    s.world().cut("east", "west");
    s.database("west").promote_to(1);
    s.runs(1h);
    CHECK(s.moves("shop", split) == 0);
    CHECK(s.count(Change::two_primaries, split) == 1);
}

TEST_CASE("L13, L20: two claims at the very first start: the first that is confirmed is answered, and then "
          "nothing moves") {
    Drill s{by_hand};
    s.world().cut("east", "west");
    s.database("west").promote();
    s.runs(1h);
    CHECK(s.moves("shop") == 1); // from undecided
    CHECK(s.count(Change::primary_followed) == 1);
    CHECK(s.count(Change::two_primaries) == 1);
    CHECK(s.critical("shop"));
    auto followed = s.answers("shop");
    auto other = followed == "east" ? "west" : "east";
    s.database(followed).crash();
    s.runs(30s);
    CHECK(s.answers("shop") == (followed == "east" ? other : followed)); // west's claim is the newer
}

TEST_CASE("L13: a claim of another system is never followed, whatever its epoch") {
    Drill s{by_hand};
    s.runs(1min);
    auto restored = s.now();
    s.database("west").another_system("1234");
    s.database("west").promote_to(99);
    s.database("east").crash();
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", restored) == 0);
    CHECK(s.count(Change::stale_claim, restored) == 1);
    CHECK(s.critical("shop", restored));
    // unless an operator takes it
    CHECK(s.failover("shop", "west", true).accepted);
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L13: a claim without an epoch counts as equal") {
    Drill s{by_hand};
    fairway::Facts primary{.role = fairway::Role::primary}, standby{.role = fairway::Role::standby};
    s.target("10.1.0.1:5432", Sight{.facts = primary});
    s.target("10.2.0.1:5432", Sight{.facts = standby});
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    s.target("10.1.0.1:5432", Sight{.facts = standby});
    s.target("10.2.0.1:5432", Sight{.facts = primary});
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("D4, L13: a clean switchover raises no false alarm, whatever its timing") {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Drill s{by_hand, seed};
        Random gap(seed);
        s.runs(1min);
        auto begun = s.now();
        // when: the primary steps down, and the standby is promoted at once or some seconds later
        s.database("east").steps_down();
        s.runs(gap.between(0s, seed % 2 ? 100ms : 10s));
        auto promoted = s.now();
        s.database("west").promote();
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
        CHECK(s.moves("shop", begun) == 1);
        CHECK(*s.first("shop", "west", begun) - promoted <= 2s + 800ms);
        CHECK(s.count(Change::two_primaries) == 0);
        CHECK(s.count(Change::no_primary_critical) == 0);
        CHECK_FALSE(s.critical("shop", begun));
        CHECK(s.count(Change::stale_claim) == 0);
    }
}

TEST_CASE("L13: a followed primary that says nothing stands in the way for 2 intervals and a timeout, and no "
          "longer") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{by_hand, seed};
        s.runs(1min);
        // when it is cut off from everybody, and the other is promoted at once
        auto cut = s.partition("east");
        s.database("west").promote();
        s.runs(1min);
        // then
        auto moved = s.first("shop", "west", cut);
        REQUIRE(moved);
        CHECK(*moved - cut >= 2s); // not before its last word has aged
        CHECK(*moved - cut <= 2 * 2s + 2s + 2s + 250ms + 30ms);
        // and when the line heals, the old one, which took writes alone all the while, is not believed
        auto healed = s.heal("east");
        s.runs(1h);
        CHECK(s.moves("shop", healed) == 0);
        CHECK(s.count(Change::stale_claim, healed) == 1);
        CHECK(s.critical("shop", healed));
    }
}
