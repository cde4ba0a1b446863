#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L14: the application is down where the primary is: critical at once, and without approval nothing "
          "moves") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    auto fault = s.application("east", saying::status(503));
    s.runs(10s);
    REQUIRE(s.first(Change::partial_failure, fault));
    CHECK(*s.first(Change::partial_failure, fault) - fault <= 2800ms + 3 * 10ms);
    CHECK(s.critical("shop", fault));
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", fault) == 0);
    CHECK(s.runbook().runs().empty());
}

TEST_CASE("L14: where failover is automatic and the fence required, the runbook moves it") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    auto fault = s.application("east", saying::status(503));
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", fault) == 1);
    CHECK(s.count(Change::two_primaries) == 0);
}

TEST_CASE("L14: automatic without a required fence moves nothing by itself") {
    Drill s{sites(
        2, {{"shop", follow + "failover: automatic\nhooks: {fence: {exec: [/srv/fence], required: false}, "
                              "promote: {exec: [/srv/promote]}}\n"}})};
    s.runs(1min);
    auto fault = s.application("east", saying::status(503));
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.count(Change::partial_failure, fault) == 1);
    CHECK(s.database("west").role() == fairway::Role::standby);
}

TEST_CASE("L14: nothing is won by moving to a site whose application is down too") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    s.application("west", saying::status(503));
    s.runs(1min);
    s.application("east", saying::status(503));
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.runbook().runs().empty());
}

TEST_CASE("L14, L19: the followed site drained by force is SERVFAIL and critical; no hook fences a well "
          "primary for it") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    CHECK_FALSE(s.drain("shop", "east").accepted); // the last usable one
    auto forced = s.now();
    REQUIRE(s.drain("shop", "east", true).accepted);
    s.runs(1h);
    CHECK(s.answers("shop") == "SERVFAIL");
    CHECK(s.critical("shop", forced));
    CHECK(s.runbook().runs().empty());
    CHECK(s.database("east").takes_writes());
    REQUIRE(s.undrain("shop", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("L14, L19: nor when the operators move the primary into a site that they have drained") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    REQUIRE(s.drain("shop", "west").accepted);
    auto moved = s.now();
    s.database("east").steps_down();
    s.database("west").promote();
    s.runs(1h);
    CHECK(s.answers("shop") == "SERVFAIL");
    CHECK(s.critical("shop", moved));
    CHECK(s.count(Change::partial_failure) == 0); // its application is well
    CHECK(s.runbook().runs().empty());
}
