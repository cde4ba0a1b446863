// The operator's rules: hold windows, switch_at_most_every, min_datacenters. Every story begins on Friday,
// 2026-11-20 at 07:00 UTC, which is 08:00 in Berlin.
#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;

namespace {

std::string window(const std::string& when, bool also_failover = false) {
    return "rules: {hold_windows: [{when: \"" + when +
           "\", also_failover: " + (also_failover ? "true" : "false") + "}]}\n";
}

constexpr auto ten_in_berlin = 2h; ///< since the story began

} // namespace

TEST_CASE("hold window: nothing fails back and nothing planned moves in it; what fails is left at once") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: auto\n"}},
                  window("Fri 08:30-Fri 10:00 Europe/Berlin"))};
    s.runs(45min);
    REQUIRE(s.alarm("hold_window"));
    auto fault = s.application("east", saying::refused());
    s.runs(10s);
    CHECK(s.answers("batch") == "west");
    CHECK_FALSE(s.named("batch", "east", fault + 3s));
    s.application_works("east");
    // when: east is well again within the window
    s.runs(30min);
    CHECK(s.answers("batch") == "west");
    CHECK(s.alarm("awaiting_failback"));
    auto planned = s.failback("batch");
    CHECK_FALSE(planned.accepted);
    CHECK(planned.message.find("hold window Fri 08:30-Fri 10:00 Europe/Berlin") != std::string::npos);
    // then: it fails back by itself when the window ends, and not before
    s.runs(1h);
    auto returned = s.first("batch", "east", fault + 1min);
    REQUIRE(returned);
    CHECK(*returned >= ten_in_berlin);
    CHECK(*returned <= ten_in_berlin + 1s);
    CHECK_FALSE(s.alarm("hold_window"));
}

TEST_CASE(
    "hold window, also_failover: an automatic failover waits for a person, or for the end of the window") {
    bool by_runbook = false;
    SUBCASE("without a database") { by_runbook = false; }
    SUBCASE("with a runbook") { by_runbook = true; }
    Drill s{sites(2, {{"shop", by_runbook ? automatic : ordered("east, west")}},
                  window("Fri 08:30-Fri 10:00 Europe/Berlin", true))};
    s.runs(45min);
    auto death = s.kill("east");
    s.runs(5min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.runbook().runs().empty());
    CHECK(s.alarm("approval"));
    SUBCASE("a person lets it go on") {
        CHECK(s.approve(s.waiting_switch("shop")).accepted);
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
    }
    SUBCASE("a restart forgets nothing, and the end of the window lets it go on") {
        if (!by_runbook)
            s.restart(10s); // with one, how far the standby is behind is not known after it (L16)
        s.runs(30min);
        CHECK(s.answers("shop") == "east");
        s.runs(1h);
        CHECK(s.answers("shop") == "west");
        auto moved = s.first("shop", "west", death);
        REQUIRE(moved);
        CHECK(*moved >= ten_in_berlin);
        CHECK(*moved <= ten_in_berlin + 10s);
    }
}

TEST_CASE("L10: switch_at_most_every delays a return, and never binds a failing active site") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: auto\n"}},
                  "rules: {switch_at_most_every: 30m}\n")};
    s.runs(1min);
    auto fault = s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "west");
    s.application_works("east");
    s.runs(20min);
    CHECK(s.answers("batch") == "west");
    SUBCASE("it returns when the time is over") {
        s.runs(20min);
        auto returned = s.first("batch", "east", fault + 10s);
        REQUIRE(returned);
        CHECK(*returned - fault >= 30min);
        CHECK(*returned - fault <= 30min + 15s);
    }
    SUBCASE("the active site fails: it is left at once") {
        auto second = s.application("west", saying::refused());
        s.runs(10s);
        CHECK(s.answers("batch") == "east");
        CHECK_FALSE(s.named("batch", "west", second + 3s));
    }
}

TEST_CASE("min_datacenters: what fails beyond it stays, however long") {
    Drill s{sites(4, {{"web", weighted}}, "rules: {min_datacenters: 3}\n")};
    s.runs(1min);
    auto first = s.application("east", saying::refused());
    s.runs(5min);
    CHECK_FALSE(s.named("web", "east", first + 5s)); // one may always go
    s.application("west", saying::refused());
    s.runs(10min);
    CHECK(s.answers("web") == "asia+eu+west");
    CHECK(s.endpoint("web", "west").braked);
    // and once east is back, west may leave
    s.application_works("east");
    s.runs(5min);
    CHECK(s.answers("web") == "asia+east+eu");
}
