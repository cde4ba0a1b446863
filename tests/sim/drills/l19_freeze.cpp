#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using Kind = fairway::policies::Override::Kind;

TEST_CASE("P6, L19: under a freeze nothing changes an answer: deaths, a new primary, restarts, a reload") {
    std::string yaml = sites(3, {{"www", weighted}, {"batch", ordered("east, west")}, {"shop", automatic}});
    Drill s{yaml};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    auto frozen = s.now();
    s.kill("east");
    s.runs(5min);
    s.restart();
    s.runs(1min);
    s.restart(10min);
    s.runs(1min);
    s.reload(yaml);
    s.database("west").promote();
    s.runs(1h);
    // then
    for (auto* name : {"www", "batch", "shop"}) CHECK(s.moves(name, frozen) == 0);
    CHECK(s.answers("www") == "east+eu+west");
    CHECK(s.answers("batch") == "east");
    CHECK(s.answers("shop") == "east");
    CHECK(s.runbook().runs().empty());
    CHECK(s.alarm("frozen"));
    CHECK(s.report("www").state == "frozen");
    // and thawed, everything is decided anew at once
    auto thawed = s.now();
    REQUIRE(s.ends(Kind::freeze, "").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "eu+west");
    CHECK(s.answers("batch") == "west");
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.alarm("frozen"));
    CHECK(s.moves("www", thawed) == 1);
}

TEST_CASE("L19: a freeze of one service leaves the others alone, and ends by itself") {
    Drill s{sites(2, {{"www", weighted}, {"api", weighted}})};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "www", "").accepted);
    s.kill("east");
    s.runs(1h);
    CHECK(s.answers("api") == "west");
    CHECK(s.answers("www") == "east+west");
    s.runs(24h);
    CHECK(s.answers("www") == "west");
}

TEST_CASE("L19: under a freeze an operator acts only if he says that he knows of it") {
    Drill s{sites(2, {{"www", weighted}, {"shop", by_approval}})};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    // given: a freeze
    auto told = s.drain("www", "east");
    CHECK_FALSE(told.accepted);
    CHECK(told.message.find("--while-frozen") != std::string::npos);
    CHECK_FALSE(s.failover("shop", "west").accepted);
    s.runs(1min);
    CHECK(s.answers("www") == "east+west");
    // when it is said
    REQUIRE(s.sets(Kind::drain, "www", "east", true).accepted);
    s.runs(1s);
    // then that counts, and the answer is frozen anew
    CHECK(s.answers("www") == "west");
    s.kill("west");
    s.runs(10min);
    CHECK(s.answers("www") == "west");
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("L19: a switch that waits is not run under a freeze; one approved in spite of it runs to its end") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    CHECK_FALSE(s.approve(id).accepted);
    s.runs(1min);
    CHECK(s.runbook().runs().empty());
    CHECK(s.approve(id, true).accepted);
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
    CHECK(s.report("shop").state == "frozen");
}
