#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
/// East fails for a minute; traffic is in west.
void east_fails_for_a_minute(Drill& s) {
    s.runs(1min);
    REQUIRE(s.answers("batch") == "east");
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "west");
}
} // namespace

TEST_CASE("P4, L12: manual: no change in 24 hours while the active site is fit, through restarts") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}})};
    east_fails_for_a_minute(s);
    auto back = s.application_works("east");
    for (int i = 0; i < 24; ++i) {
        s.runs(1h);
        s.restart(5s);
    }
    s.runs(1min);
    CHECK(s.moves("batch", back) == 0);
    CHECK(s.answers("batch") == "west");
    CHECK(s.count(Change::awaiting_failback) >= 1);
    CHECK(s.report("batch").active == "west");
    CHECK(s.report("batch").preferred == "east");

    SUBCASE("then an operator returns it") {
        CHECK(s.failback("batch").accepted);
        s.runs(1s);
        CHECK(s.answers("batch") == "east");
        CHECK(s.count(Change::switch_done) == 1);
    }
    SUBCASE("or the active site fails: that is a new failover, and happens") {
        auto fault = s.application("west", saying::refused());
        s.runs(10s);
        CHECK(s.answers("batch") == "east");
        CHECK_FALSE(s.named("batch", "west", fault + 2800ms + 3 * 10ms + 10ms));
        CHECK(s.count(Change::failover, fault) == 1);
    }
}

TEST_CASE("P4, L12, L20: manual: nor do restarts after a longer absence bring it back") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}})};
    east_fails_for_a_minute(s);
    auto back = s.application_works("east");
    for (auto away : {70s, 600s, 7200s}) {
        s.runs(1h);
        s.restart(away);
    }
    s.runs(1h);
    CHECK(s.answers("batch") == "west");
    CHECK_FALSE(s.named("batch", "east", back));
}

TEST_CASE("P4, L12: delayed, the default without a stateful tier: after 300 s of the unbroken run") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    east_fails_for_a_minute(s);
    auto back = s.application_works("east");
    s.runs(10min);
    auto returned = s.first("batch", "east", back);
    REQUIRE(returned);
    CHECK(*returned - back >= 300s);
    CHECK(*returned - back <= 300s + 2 * 2s);
}

TEST_CASE("L12: a failure on the way starts the 300 s again") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    east_fails_for_a_minute(s);
    s.application_works("east");
    s.runs(250s);
    s.application("east", saying::refused());
    s.runs(2s);
    auto again = s.application_works("east");
    s.runs(11min);
    auto returned = s.first("batch", "east", again - 1s);
    REQUIRE(returned);
    CHECK(*returned - again >= 300s);
    CHECK(*returned - again <= 600s + 2 * 2s); // a second return: L5 asks for ten minutes
}

TEST_CASE("P4, L12: auto: as soon as it is UP again") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: auto\n"}})};
    east_fails_for_a_minute(s);
    auto back = s.application_works("east");
    s.runs(2min);
    auto returned = s.first("batch", "east", back);
    REQUIRE(returned);
    CHECK(*returned - back >= 30s);
    CHECK(*returned - back <= 30s + 2 * 2s + 30ms);
}

TEST_CASE("L12: failover by approval moves nothing until a person says so") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failover: approval\n"}})};
    s.runs(1min);
    auto fault = s.application("east", saying::refused());
    s.runs(10min);
    CHECK(s.answers("batch") == "east");
    CHECK(s.critical("batch", fault));
    auto id = s.waiting_switch("batch");
    REQUIRE_FALSE(id.empty());
    CHECK(s.approve(id).accepted);
    s.runs(1s);
    CHECK(s.answers("batch") == "west");
}

TEST_CASE("L12, L19: a drain of the active site needs no further approval: an operator has said it") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failover: approval\n"}})};
    s.runs(1min);
    auto drained = s.now();
    REQUIRE(s.drain("batch", "east").accepted);
    s.runs(1min);
    CHECK(s.answers("batch") == "west");
    CHECK_FALSE(s.named("batch", "east", drained + 10ms));
}

TEST_CASE("L12, L19: a site that waits for approval to be left is left when it is drained") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failover: approval\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "east");
    auto drained = s.now();
    REQUIRE(s.drain("batch", "east").accepted);
    s.runs(1min);
    CHECK(s.answers("batch") == "west");
    CHECK_FALSE(s.named("batch", "east", drained + 10ms));
}

TEST_CASE("L12, L20: a run broken by one failure is not mended by a restart") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    east_fails_for_a_minute(s);
    s.application_works("east");
    s.runs(250s);
    s.application("east", saying::refused());
    s.runs(2s);
    auto again = s.application_works("east");
    s.runs(20s);
    s.restart(5s);
    s.runs(11min);
    auto returned = s.first("batch", "east", again - 1s);
    REQUIRE(returned);
    CHECK(*returned - again >= 300s);
    CHECK(*returned - again <= 600s + 4s + 6s); // a second return: L5 asks for ten minutes
}

TEST_CASE("L12, L20: an operator's move lasts as long with a restart in it as without") {
    for (bool restarts : {false, true}) {
        CAPTURE(restarts);
        Drill s{sites(2, {{"batch", ordered("east, west") + "failback: delayed\n"}})};
        s.runs(10min);
        REQUIRE(s.failover("batch", "west").accepted);
        auto moved = s.now();
        s.runs(100s);
        CHECK(s.answers("batch") == "west");
        if (restarts) s.restart(5s);
        s.runs(190s);
        CHECK(s.answers("batch") == "west");
        CHECK_FALSE(s.named("batch", "east", moved + 1s));
    }
}

TEST_CASE("L12: failback leads to the first fit site, as status says, if the one preferred most is down") {
    Drill s{sites(3, {{"www", ordered("east, west, eu") + "failback: manual\n"}})};
    s.runs(1min);
    s.kill("east");
    s.kill("west");
    s.runs(1min);
    REQUIRE(s.answers("www") == "eu");
    s.revive("west");
    s.runs(10min);
    REQUIRE(s.count(Change::awaiting_failback) == 1);
    REQUIRE(s.failback("www").accepted);
    s.runs(2min);
    CHECK(s.answers("www") == "west");
}
