#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
const auto everything =
    sites(3, {{"www", weighted}, {"batch", ordered("east, west, eu")}, {"shop", automatic}});
const auto services = {"www", "batch", "shop"};
const auto steps = {1h, -1h, 24h * 30, -24h * 30};

void nothing_changed(Drill& s, Moment since) {
    for (auto* service : services) {
        CAPTURE(service);
        CHECK(s.moves(service, since) == 0);
        CHECK_FALSE(s.said(service, "SERVFAIL", since));
    }
}
} // namespace

TEST_CASE("N8: a clock that is set changes no answer, and nothing that it does not have to") {
    for (const auto step : steps) {
        CAPTURE(step.count());
        Drill s{everything};
        s.runs(1min);
        auto set = s.now();
        s.step_clock(step);
        s.runs(10min);
        nothing_changed(s, set);
        CHECK(s.count(Change::member_down) == 0);
        CHECK(s.count(Change::store_failed) == 0);
        CHECK(s.runbook().runs().empty());
    }
}

TEST_CASE("N8: verdicts take as long as ever while the clock is set back and forth") {
    for (const auto step : steps) {
        CAPTURE(step.count());
        Drill s{everything};
        s.runs(1min);
        auto fault = s.application("east", saying::refused());
        s.runs(1s);
        s.step_clock(step);
        s.runs(1s);
        s.step_clock(-step);
        s.runs(1min);
        CHECK_FALSE(s.named("www", "east", fault + 2800ms + 3 * 10ms));
        CHECK(s.answers("batch") == "west");
        // and the hold-down is no shorter, nor longer
        auto back = s.application_works("east");
        s.runs(15s);
        s.step_clock(step);
        s.runs(2min);
        auto up = s.first("www", "east+eu+west", back);
        REQUIRE(up);
        CHECK(*up - back >= 30s);
        CHECK(*up - back <= 30s + 2 * 2s + 3s);
    }
}

TEST_CASE("N8, L20: whoever is restarted after the clock was set still knows what it decided") {
    for (const auto step : steps) {
        CAPTURE(step.count());
        Drill s{sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}, {"shop", follow}})};
        s.runs(1min);
        s.kill("east");
        s.runs(30s);
        s.database("west").promote();
        s.runs(30s);
        REQUIRE(s.answers("batch") == "west");
        s.step_clock(step);
        s.runs(10s); // two heartbeats by the new clock
        auto set = s.now();
        s.restart(20s);
        s.revive("east");
        s.runs(5min);
        CHECK(s.answers("batch") == "west");
        CHECK(s.answers("shop") == "west");
        CHECK_FALSE(s.named("batch", "east", set));
        CHECK_FALSE(s.said("batch", "SERVFAIL", set));
    }
}
