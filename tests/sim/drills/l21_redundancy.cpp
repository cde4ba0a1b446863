#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

bool warned(const Drill& s, Change change, const std::string& about) {
    return std::ranges::any_of(s.all(change), [&](const Entry& e) {
        return e.what.transition.service.starts_with(about) &&
               e.what.transition.severity == fairway::policies::Severity::warning;
    });
}

} // namespace

TEST_CASE("S8, L21: a site is lost, service goes on, and the lost redundancy is visible until it is back") {
    // given: three sites that share the load
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    CHECK(s.report("www").survives == 2);
    CHECK_FALSE(s.alarm("redundancy_lost"));
    // when one dies, and then another
    auto death = s.kill("eu");
    s.runs(30s);
    CHECK(s.report("www").survives == 1);
    CHECK(s.report("www").designed == 2);
    CHECK(s.alarm("redundancy_lost"));
    CHECK(s.count(Change::redundancy_lost, death) == 1);
    s.application("west", saying::refused());
    s.runs(90s);
    // then the next loss is the outage, and it is said
    CHECK(s.report("www").survives == 0);
    CHECK(s.answers("www") == "east");
    // and it is quiet again once all are back
    s.revive("eu");
    s.application_works("west");
    s.runs(10min);
    CHECK(s.report("www").survives == 2);
    CHECK_FALSE(s.alarm("redundancy_lost"));
    CHECK(s.count(Change::redundancy_back, death) >= 1);
}

TEST_CASE("L21: failure domains are counted, not names") {
    Drill s{"checks: {web: {type: http, port: 8080, path: /healthz}}\n"
            "datacenters: {east: {region: us, zone: a}, west: {region: us, zone: a}, eu: {region: eu}}\n"
            "services:\n  www.gtm.example.com:\n    policy: weighted\n    application: web\n    endpoints:\n"
            "      east: {addresses: [10.1.0.1]}\n      west: {addresses: [10.2.0.1]}\n"
            "      eu: {addresses: [10.3.0.1]}\n"};
    s.runs(1min);
    CHECK(s.report("www").survives == 1);
    s.kill("west");
    s.runs(1min);
    CHECK(s.report("www").survives == 1); // east stands for the same domain
    s.kill("eu");
    s.runs(2min);
    CHECK(s.report("www").survives == 0);
}

TEST_CASE("S1, L21: a store that needs a majority survives fewer losses than it has sites") {
    Drill s{sites(3, {{"api", "policy: weighted\nconsistency: strong\napplication: web\nstateful: db\n"}})};
    for (auto* site : {"east", "west", "eu"}) s.store_reports(site, {.quorum = true});
    s.runs(1min);
    CHECK(s.report("api").survives == 1);
    s.kill("east");
    s.runs(1min);
    CHECK(s.report("api").survives == 0);
    CHECK(s.alarm("redundancy_lost"));
}

TEST_CASE("L21: what an operator took out is told, but is no fault") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    s.drain("www", "eu");
    s.runs(5s);
    CHECK(s.count(Change::redundancy_lost) == 1);
    CHECK_FALSE(warned(s, Change::redundancy_lost, "www"));
    s.undrain("www", "eu");
    s.runs(5s);
    CHECK(s.count(Change::redundancy_back) == 1);
}

TEST_CASE("O7: a standby further behind than the rpo is an alarm in peacetime, and ends with it") {
    Drill s{sites(2, {{"shop", by_approval + "objectives: {rto: 5m, rpo: 5s}\n"}})};
    s.runs(1min);
    REQUIRE_FALSE(s.alarm("objectives"));
    // when replication falls behind, for a moment and for long
    s.database("west").lags(8s);
    s.runs(4s);
    s.database("west").lags(2ms);
    s.runs(1min);
    CHECK(s.count(Change::objectives_missed) == 0);
    s.database("west").lags(1min);
    s.runs(2min);
    // then
    CHECK(s.alarm("objectives"));
    CHECK(s.count(Change::objectives_missed) == 1);
    CHECK(s.report("shop").missed.find("rpo 5s") != std::string::npos);
    CHECK(s.answers("shop") == "east");
    s.database("west").lags(2ms);
    s.runs(1min);
    CHECK_FALSE(s.alarm("objectives"));
    CHECK(s.count(Change::objectives_met) == 1);
}

TEST_CASE("O7: with nobody left who could take over, the rto could not be kept to") {
    Drill s{sites(2, {{"shop", automatic + "objectives: {rto: 60s}\n"}})};
    s.runs(1min);
    REQUIRE_FALSE(s.alarm("objectives"));
    s.kill("west");
    s.runs(1min);
    CHECK(s.alarm("objectives"));
    CHECK(s.report("shop").missed.find("no other failure domain") != std::string::npos);
    s.revive("west");
    s.runs(5min);
    CHECK_FALSE(s.alarm("objectives"));
}
