#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using Kind = fairway::policies::Override::Kind;

TEST_CASE("L19: the kind decides before the scope: force-down, maintenance, drain, force-up, then health") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    // given: east fails, and counts as up by an operator's word for this one service
    s.application("east", saying::refused());
    s.runs(2min);
    REQUIRE(s.answers("www") == "eu+west");
    REQUIRE(s.sets(Kind::force_up, "www", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "east+eu+west");
    // when the whole datacenter is drained, the wider word of the stronger kind holds
    REQUIRE(s.sets(Kind::drain, "", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "eu+west");
    REQUIRE(s.sets(Kind::force_down, "", "east").accepted);
    REQUIRE(s.ends(Kind::drain, "", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "eu+west");
    // then, with the stronger ones ended, the weaker one counts again, and at last health
    REQUIRE(s.ends(Kind::force_down, "", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "east+eu+west");
    REQUIRE(s.ends(Kind::force_up, "www", "east").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "eu+west");
}

TEST_CASE(
    "L19: overrides of every kind are refused where they would take the last usable site, but for force-up") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.kill("west");
    s.runs(1min);
    for (Kind kind : {Kind::force_down, Kind::maintenance, Kind::drain}) {
        auto told = s.sets(kind, "www", "east");
        CHECK_FALSE(told.accepted);
        CHECK(told.message.find("--force") != std::string::npos);
    }
    CHECK(s.sets(Kind::force_up, "www", "east").accepted);
    CHECK(s.answers("www") == "east");
}

TEST_CASE("L19: under follow, force-up speaks for the application, never for the database") {
    Drill s{sites(2, {{"shop", follow}})};
    s.runs(1min);
    // given: the database fails over to nowhere, and its site is forced up
    s.kill("east");
    REQUIRE(s.sets(Kind::force_up, "shop", "west").accepted);
    s.runs(5min);
    // then traffic does not go to a standby
    CHECK(s.answers("shop") == "east");
    CHECK(s.count(Change::no_primary_critical) == 1);
}

TEST_CASE("L19: maintenance ends by itself, and a restart forgets none") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.sets(Kind::maintenance, "", "east").accepted);
    s.runs(1s);
    s.restart();
    s.runs(23h);
    CHECK(s.answers("www") == "west");
    CHECK(s.endpoint("www", "east").reason.find("maintenance by ana") != std::string::npos);
    s.runs(2h);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.count(Change::override_expired) == 1);
}

TEST_CASE("L19: the end of a force-up that a service rests on is refused, unless forced") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("west", saying::refused());
    s.runs(1min);
    using fairway::policies::Override;
    REQUIRE(s.sets(Override::Kind::force_up, "www", "west").accepted);
    REQUIRE(s.drain("www", "east").accepted);
    REQUIRE(s.answers("www") == "west");
    auto off = s.ends(Override::Kind::force_up, "www", "west");
    CHECK_FALSE(off.accepted);
    CHECK(off.details == std::vector<std::string>{"www.gtm.example.com"});
    CHECK(off.message.find("--force") != std::string::npos);
    CHECK(s.answers("www") == "west");
}

TEST_CASE("L19: the primary's site is refused with what to do first, and so is where a switch leads") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.program(fairway::Hook::Step::fence).failure = "exit status 1";
    s.runs(1min);
    auto drain = s.drain("shop", "east");
    CHECK_FALSE(drain.accepted);
    CHECK(drain.message.find("fairwayctl switch shop.gtm.example.com --to west") != std::string::npos);
    CHECK(drain.message.find("SERVFAIL") != std::string::npos);
    CHECK(drain.message.find("last usable") == std::string::npos);
    REQUIRE(s.failover("shop", "west").accepted);
    s.runs(1s);
    auto target = s.drain("shop", "west");
    CHECK_FALSE(target.accepted);
    CHECK(target.message.find("is where switch") != std::string::npos);
}
