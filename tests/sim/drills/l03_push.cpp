#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

const std::string says = "checks: {says: {type: push, ttl: 15s, hold_down: 0s, rise: 1, fall: 2,"
                         " tokens: {east: /dev/null, west: /dev/null}}}\n";

/// Sites that report every five seconds, as long as they are told to.
struct PushDrill : Drill {
    std::map<std::string, Facts> reporting{{"east", {}}, {"west", {}}};
    std::map<std::string, Outcome> outcomes;

    explicit PushDrill(const std::string& keys)
        : Drill("datacenters: {east: {}, west: {}}\n" + says + "services:\n  shop.gtm.example.com:\n" + keys +
                "    endpoints: {east: {addresses: [10.1.0.1]}, west: {addresses: [10.2.0.1]}}\n") {
        start();
    }
    void reports_for(Duration d) {
        for (const auto until = now() + d; now() < until; runs(5s))
            for (const auto& [site, facts] : reporting)
                pushes("says", site, facts, outcomes.contains(site) ? outcomes[site] : Outcome::pass);
    }
};

const std::string by_report =
    "    policy: {type: active_passive, order: [east, west]}\n    application: says\n";
const std::string by_role = "    policy: {type: active_passive, follow: primary}\n    stateful: says\n";

Facts primary(std::uint64_t epoch) { return {.role = Role::primary, .epoch = epoch, .system = "s"}; }
Facts standby(std::uint64_t epoch) { return {.role = Role::standby, .epoch = epoch, .system = "s"}; }

} // namespace

TEST_CASE("L3: a site that reports itself down goes after `fall` reports, and returns with `rise`") {
    PushDrill s(by_report);
    s.reports_for(1min);
    REQUIRE(s.answers("shop") == "east");
    s.outcomes["east"] = Outcome::fail;
    s.reports_for(5s);
    CHECK(s.answers("shop") == "east"); // one report is not two
    s.reports_for(5s);
    CHECK(s.answers("shop") == "west");
    s.outcomes.clear();
    s.reports_for(10s);
    CHECK(s.endpoint("shop", "east").fit);
}

TEST_CASE("H4, L3: a site that falls silent is unknown: nothing moves, and an alarm says who") {
    PushDrill s(by_report);
    s.reports_for(1min);
    const auto begun = s.now();
    s.reporting.erase("east");
    s.reports_for(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", begun) == 0);
    CHECK(s.alarm("own_fault"));
    s.reporting["east"] = {};
    s.reports_for(10s);
    CHECK_FALSE(s.alarm("own_fault"));
}

TEST_CASE(
    "L13, L14: what a silent site said of its role is unknown first, and after three times to live no longer "
    "held") {
    PushDrill s(by_role);
    s.reporting = {{"east", primary(3)}, {"west", standby(3)}};
    s.reports_for(1min);
    REQUIRE(s.answers("shop") == "east");
    // when the primary's site falls silent
    const auto silence = s.now();
    s.reporting.erase("east");
    s.reports_for(3min);
    CHECK(s.answers("shop") == "east"); // held (L14)
    REQUIRE(s.first(Change::no_primary, silence));
    const auto noticed = *s.first(Change::no_primary, silence) - silence;
    CHECK(noticed >= 40s);
    CHECK(noticed <= 46s);
    // and the other one is promoted
    s.reporting["west"] = primary(4);
    s.reports_for(10s);
    CHECK(s.answers("shop") == "west");
    // then the old one's word, when it comes back with it, is not believed
    s.reporting["east"] = primary(3);
    s.reports_for(1min);
    CHECK(s.answers("shop") == "west");
    CHECK(s.alarm("stale_claim"));
}

TEST_CASE("reports for a check or a site that nobody asks about are refused") {
    PushDrill s(by_report);
    CHECK(s.pushes("says", "east", {}));
    CHECK_FALSE(s.pushes("says", "north", {}));
    CHECK_FALSE(s.pushes("other", "east", {}));
}
