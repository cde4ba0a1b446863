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

TEST_CASE("P6: what an operator did under a freeze, and what opened under it, is frozen through restarts") {
    std::string yaml = sites(2, {{"www", weighted}});
    {
        Drill s{yaml};
        s.runs(1min);
        REQUIRE(s.sets(Kind::freeze, "", "").accepted);
        s.runs(1s);
        REQUIRE(s.sets(Kind::drain, "www", "east", true).accepted);
        s.runs(5s);
        s.restart();
        s.runs(10min);
        CHECK(s.answers("www") == "west");
    }
    Drill s{yaml};
    s.start();
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    s.restart(2min);
    s.runs(1min);
    CHECK(s.answers("www") == "east+west");
}

TEST_CASE(
    "P6: a reload that removes the frozen site changes no answer, and neither does a restart after it") {
    Drill s{sites(3, {{"batch", ordered("east, west, eu")}})};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    auto frozen = s.now();
    s.reload(sites_with(3, {"batch", ordered("west, eu")},
                        "west: {addresses: [10.2.0.1]}\neu: {addresses: [10.3.0.1]}\n"));
    s.runs(1min);
    s.restart();
    s.runs(1min);
    CHECK_FALSE(s.said("batch", "SERVFAIL", frozen));
    CHECK(s.engine().plan(0).choices.at(0).addresses.at(0).to_string() == "10.1.0.1");
    REQUIRE(s.ends(Kind::freeze, "").accepted);
    s.runs(15s);
    CHECK(s.answers("batch") == "west");
}

TEST_CASE("L19: a word about one place lets no switch of a frozen service begin or go on") {
    std::string yaml = sites(3, {{"www", weighted}, {"shop", automatic}});
    {
        Drill s{yaml};
        s.runs(1min);
        REQUIRE(s.sets(Kind::freeze, "", "").accepted);
        s.kill("east");
        s.runs(5min);
        REQUIRE(s.sets(Kind::drain, "", "eu", true).accepted);
        s.runs(5min);
        CHECK(s.runbook().runs().empty());
    }
    Drill s{yaml};
    s.runs(1min);
    REQUIRE(s.drain("", "eu").accepted);
    s.program(fairway::Hook::Step::fence).takes = 5s;
    s.kill("east");
    REQUIRE(s.runs_until([&] { return s.runbook().runs().size() == 1; }, 1min));
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.runs(5min);
    REQUIRE(s.ends(Kind::drain, "", "eu", true).accepted);
    s.runs(5min);
    CHECK(s.runbook().text() == "fence east");
}

TEST_CASE("L19: a switch approved under a freeze that fails and waits again is held again") {
    Drill s{sites(3, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    auto id = s.waiting_switch("shop");
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.program(fairway::Hook::Step::promote).failure = "exit status 1";
    REQUIRE(s.approve(id, true).accepted);
    s.runs(2min);
    REQUIRE(s.waiting_switch("shop") == id);
    s.database("eu").promote();
    s.runs(1min);
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("L20: a freeze that ran out while the daemon was down leaves the plan until something is decided") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.runs(1min);
    auto before = s.now();
    s.restart(25h);
    s.runs(30s);
    CHECK(s.answers("www") == "west");
    CHECK(s.count(Change::all_down, before) == 0);
    CHECK_FALSE(s.named("www", "east", before));
}

TEST_CASE("L19: a freeze ends on time where nothing is looked at, too") {
    Drill s{sites_with(2, {"www", "policy: weighted\nunchecked: true\n"},
                       "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1]}\n")};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.runs(24h - 1s);
    CHECK(s.report("www").state == "frozen");
    s.runs(2s);
    CHECK(s.report("www").state != "frozen");
}

TEST_CASE("L19: a freeze of one service is no reason to refuse a drain where it has no endpoint") {
    Drill s{sites(2, {{"www", weighted}}) +
            "  api.gtm.example.com:\n    policy: weighted\n    application: web\n"
            "    endpoints:\n      west: {addresses: [10.2.0.1]}\n"};
    s.runs(1min);
    REQUIRE(s.sets(Kind::freeze, "api", "").accepted);
    CHECK(s.drain("", "east").accepted);
}
