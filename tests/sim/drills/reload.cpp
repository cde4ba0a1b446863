#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H11: a reload of the same configuration changes no answer and forgets no history") {
    const auto yaml = sites(
        2, {{"www", weighted}, {"batch", ordered("east, west") + "failback: manual\n"}, {"shop", automatic}});
    Drill s{yaml};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    auto reloaded = s.now();
    for (int i = 0; i < 20; ++i) {
        s.reload(yaml);
        s.runs(3s);
    }
    for (auto* service : {"www", "batch", "shop"}) {
        CAPTURE(service);
        CHECK(s.moves(service, reloaded) == 0);
        CHECK_FALSE(s.said(service, "SERVFAIL", reloaded));
    }
    CHECK(s.count(Change::member_up, reloaded) == 0);
}

TEST_CASE("H11: a hold-down under way goes on through a reload") {
    const auto yaml = sites(2, {{"www", weighted}});
    Drill s{yaml};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(2min);
    auto back = s.application_works("east");
    s.runs(20s);
    s.reload(yaml);
    s.runs(1min);
    auto up = s.first("www", "east+west", back);
    REQUIRE(up);
    CHECK(*up - back >= 30s);
    CHECK(*up - back <= 30s + 2 * 2s + 30ms);
}

TEST_CASE("L17: a reload that removes the target of a running hook begins no other switch beside it") {
    std::string shop =
        follow + "failover: automatic\nhooks: {promote: {exec: [/srv/promote], timeout: 60s}}\n";
    Drill s{sites(3, {{"shop", shop}})};
    s.program(fairway::Hook::Step::promote).takes = 30s;
    s.runs(1min);
    // given: east is dead, and west, which is next, is being promoted
    s.kill("east");
    REQUIRE(s.runs_until([&] { return s.runbook().runs().size() == 1; }, 1min));
    std::string to = s.runbook().runs().front().to;
    // when the datacenter being promoted is taken out of the configuration
    REQUIRE(to == "west");
    s.reload(sites_with(3, {"shop", shop}, "east: {addresses: [10.1.0.1]}\neu: {addresses: [10.3.0.1]}\n"));
    s.runs(20s);
    // then eu is not promoted while the hook for west still runs
    CHECK(s.runbook().runs().size() == 1);
    CHECK_FALSE(s.failover("shop", "eu").accepted);
}

TEST_CASE("H11: a target that is removed gets no probe from then on") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    auto& eu = s.world().target("10.3.0.1:8080");
    REQUIRE(eu.looks > 20);
    s.reload(sites(2, {{"www", weighted}}));
    auto before = eu.looks;
    s.runs(10min);
    CHECK(eu.looks == before);
    CHECK(s.answers("www") == "east+west");
}
