#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE(
    "L2: a member is UP after the longer of rise and hold-down, counted from the first pass of the row") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Drill s{sites(2, {{"www", weighted}}), seed};
        s.runs(1min);
        s.application("east", saying::refused());
        s.runs(2min);
        REQUIRE(s.answers("www") == "west");
        // when
        auto back = s.application_works("east");
        s.runs(1min);
        // then: 30 s from the first pass, which is at most an interval away; seen at most an interval later
        auto up = s.first("www", "east+west", back);
        REQUIRE(up);
        CHECK(*up - back >= 30s);
        CHECK(*up - back <= 30s + 2s + 2s + 2 * 10ms + 10ms);
    }
}

TEST_CASE("L2: one failure on the way back starts the row again") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(2min);
    auto back = s.application_works("east");
    s.runs(20s);
    // when it fails for one look
    s.application("east", saying::refused());
    s.runs(2s);
    auto again = s.application_works("east");
    s.runs(1min);
    // then
    auto up = s.first("www", "east+west", back);
    REQUIRE(up);
    CHECK(*up - again >= 30s);
}

TEST_CASE("L2: with a short hold-down, `rise` passes are what it takes") {
    auto yaml = "defaults: {check: {hold_down: 1s}}\n" + sites(2, {{"www", weighted}});
    Drill s{yaml};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(2min);
    auto back = s.application_works("east");
    s.runs(30s);
    auto up = s.first("www", "east+west", back);
    REQUIRE(up);
    CHECK(*up - back >= 4 * 1800ms);           // five passes, four intervals of at least 1.8 s between them
    CHECK(*up - back <= 5 * 2s + 10ms + 10ms); // and at most one interval before the first
}
