#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L15: while the old site still reports a role, the runbook waits for no_primary_hold") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    // when a switchover by other hands gets stuck half way: both are standbys
    auto down = s.now();
    s.database("east").steps_down();
    s.runs(55s);
    CHECK(s.runbook().runs().empty());
    s.runs(1min);
    // then
    REQUIRE(s.runbook().text() == "fence east, promote west");
    CHECK(s.runbook().runs().front().begun - down >= 60s);
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", down) == 1);
}

TEST_CASE("L15: a database that refuses has no role: the runbook starts once that is confirmed") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    auto crash = s.now();
    s.database("east").crash();
    s.runs(30s);
    REQUIRE_FALSE(s.runbook().runs().empty());
    CHECK(s.runbook().runs().front().begun - crash <= 2800ms + 3 * 10ms + 100ms);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L15: a primary that is only restarting gets `fall` looks, not more; one blip starts nothing") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    auto restart = s.now();
    s.database("east").starts_up();
    s.runs(400ms); // back before the third look
    s.database("east").recover();
    s.runs(10min);
    CHECK(s.runbook().runs().empty());
    CHECK(s.moves("shop", restart) == 0);
}

TEST_CASE("L15: of several standbys the one with the least lag is promoted") {
    Drill s{sites(3, {{"shop", automatic}})};
    s.database("west").lags(5s);
    s.runs(1min);
    auto death = s.kill("east");
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote eu");
    CHECK(s.answers("shop") == "eu");
    CHECK(s.moves("shop", death) == 1);
}

TEST_CASE("L15: a tie goes by order; a standby whose application is down is not eligible") {
    SUBCASE("by order") {
        Drill s{sites(3, {{"shop", automatic}})};
        s.runs(1min);
        s.database_of("shop").write(0); // idle: both have everything
        s.runs(1min);
        s.kill("east");
        s.runs(1min);
        CHECK(s.runbook().text() == "fence east, promote west");
    }
    SUBCASE("by application") {
        Drill s{sites(3, {{"shop", automatic}})};
        s.runs(1min);
        s.application("west", saying::status(503));
        s.runs(1min);
        s.kill("east");
        s.runs(1min);
        CHECK(s.runbook().text() == "fence east, promote eu");
    }
    SUBCASE("nor is a drained one") {
        Drill s{sites(3, {{"shop", automatic}})};
        s.runs(1min);
        REQUIRE(s.drain("shop", "west").accepted);
        s.kill("east");
        s.runs(1min);
        CHECK(s.runbook().text() == "fence east, promote eu");
    }
}

TEST_CASE("O1, L15: while it waits for a switchover by hand, status says for what and how long at most") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    s.database("east").steps_down();
    s.runs(30s);
    CHECK(s.report("shop").reason ==
          "no primary is seen, the answer stays at east; west could take over: it waits for 1m "
          "(no_primary_hold) while east still answers as a standby, as in a switchover by hand");
}
