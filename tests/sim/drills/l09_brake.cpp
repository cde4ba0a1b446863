#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
std::size_t named(const std::string& answer) {
    return static_cast<std::size_t>(std::ranges::count(answer, '+')) + 1;
}
} // namespace

TEST_CASE("P5, L9: two of three down: active/passive moves to the third at once") {
    Drill s{sites(3, {{"batch", ordered("east, west, eu")}})};
    s.runs(1min);
    auto fault = s.application("east", saying::refused());
    s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("batch") == "eu");
    CHECK_FALSE(s.named("batch", "east", fault + 2800ms + 3 * 10ms));
}

TEST_CASE("P5, L9: two of three down: weighted withdraws one now, and one after 60 s") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    auto fault = s.application("east", saying::refused());
    s.application("west", saying::refused());
    s.runs(10s);
    // then: one is out, the other is braked and keeps its share
    CHECK(named(s.answers("www")) == 2);
    CHECK(s.count(Change::endpoint_braked) == 1);
    s.runs_until([&] { return s.answers("www") == "eu"; }, 2min);
    CHECK(s.answers("www") == "eu");
    CHECK(s.now() - fault >= 60s);
    CHECK(s.now() - fault <= 60s + 2800ms + 100ms);
}

TEST_CASE("P5, L9: A out and back, then B down within the minute, of two: B leaves at once") {
    Drill s{"defaults: {check: {hold_down: 1s}}\n" + sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(5s);
    REQUIRE(s.answers("www") == "west");
    s.application_works("east");
    s.runs(15s);
    REQUIRE(s.answers("www") == "east+west");
    auto fault = s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "east");
    CHECK_FALSE(s.named("www", "west", fault + 2800ms + 3 * 10ms));
    CHECK(s.now() < 1min + 60s);
}

TEST_CASE("L9: of two, one may go at once and the other is the last: then nothing is fit") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "west");
    s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "east+west"); // as if all were up
}

TEST_CASE("L9: of four, two go at once, the third waits its minute") {
    Drill s{sites(4, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.application("west", saying::refused());
    s.application("eu", saying::refused());
    s.runs(10s);
    CHECK(named(s.answers("www")) == 2);
    s.runs(1min);
    CHECK(s.answers("www") == "asia");
}

TEST_CASE("L9, L20: a restart brakes whom the process before braked, and nobody else") {
    // given: four sites of which one was away and came back, and two that are out for long
    Drill s{sites(4, {{"www", weighted}})};
    s.runs(1min);
    s.application("west", saying::refused());
    s.runs(2min);
    s.application_works("west");
    s.runs(3min);
    s.application("east", saying::refused());
    s.application("eu", saying::refused());
    s.runs(3min);
    REQUIRE(s.answers("www") == "asia+west");
    // when: a process that knows nothing any more starts, and sees the third go soon after
    s.application("west", saying::nothing());
    s.restart(10min);
    s.runs(20s);
    REQUIRE(s.answers("www") == "asia"); // two were never in, as far as it knows
    auto killed = s.now();
    s.restart(5s);
    s.runs(2min);
    CHECK(s.moves("www", killed) == 0);
    CHECK(s.count(Change::endpoint_braked, killed) == 0);
}

TEST_CASE("L9, L20: of those that went together, a restart keeps who was kept") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{sites(4, {{"www", weighted}}), seed};
        s.runs(1min);
        for (auto* site : {"west", "east", "eu"}) s.application(site, saying::refused());
        s.runs(10s);
        auto answer = s.answers("www");
        REQUIRE(named(answer) == 2);
        auto killed = s.now();
        s.restart(2s);
        s.runs(20s);
        CHECK(s.moves("www", killed) == 0);
        s.runs(1min);
        CHECK(s.answers("www") == "asia");
    }
}
