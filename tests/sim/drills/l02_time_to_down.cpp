#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

constexpr auto rtt = 10ms;

/// Breaks east's web tier at many phases of its rhythm and measures until no answer names it.
std::vector<fairway::Duration> times_to_down(const Sight& broken) {
    std::vector<fairway::Duration> times;
    Random phase(7);
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Drill s{sites(2, {{"www", weighted}}), seed};
        s.runs(30s + phase.between(0s, 4s));
        REQUIRE(s.answers("www") == "east+west");
        auto fault = s.application("east", broken);
        s.runs(20s);
        auto left = s.first("www", "west", fault);
        REQUIRE(left);
        times.push_back(*left - fault);
    }
    std::ranges::sort(times);
    MESSAGE("best ", seconds(times.front()), " s, median ", seconds(times[times.size() / 2]), " s, worst ",
            seconds(times.back()), " s");
    return times;
}

} // namespace

TEST_CASE("H2, L2: with defaults a refusal leaves the answers within 2.8 s and 3 round trips") {
    auto times = times_to_down(saying::refused());
    CHECK(times.back() <= 2800ms + 3 * rtt);
    CHECK(times.front() >= 500ms); // never on fewer than three looks
}

TEST_CASE("H2, L2: with defaults silence leaves the answers within 9 s") {
    auto times = times_to_down(saying::nothing());
    CHECK(times.back() <= 9s);
    CHECK(times.front() >= 6s); // three timeouts
}
