// L9, P5: how many endpoints automation may take out at once.
#include "policies/brake.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

using Out = std::vector<std::optional<Instant>>;
constexpr std::nullopt_t in = std::nullopt;

std::string held(const Out& out, Duration now, Brake brake = {}) {
    std::string text;
    for (bool b : braked(out, out.size(), brake, dawn + now)) text += b ? 'B' : '-';
    return text;
}

} // namespace

TEST_CASE("L9: at most half of the endpoints go within a minute; the others wait, the latest first") {
    const Instant t0 = dawn, t1 = dawn + 1s, t2 = dawn + 2s;
    struct Row {
        Out out;
        Duration now;
        const char* braked;
    };
    const Row rows[] = {
        {{in, in}, 0s, "--"},           {{t0, in}, 0s, "--"},
        {{t0, t1}, 1s, "-B"},           {{t1, t0}, 1s, "B-"},
        {{t0, in, in}, 0s, "---"},      {{t0, t1, in}, 1s, "-B-"}, // floor(3 * 50 %) is one
        {{t0, t0, in}, 1s, "-B-"}, // together: the earlier in the configuration is out
        {{t2, t1, t0}, 2s, "BB-"},      {{t0, t1, in, in}, 1s, "----"}, // floor(4 * 50 %) is two
        {{t0, t1, t2, in}, 2s, "--B-"}, {{t0, t1, t2, t2}, 2s, "--BB"},
        {{t0, t1, in}, 59999ms, "-B-"}, {{t0, t1, in}, 60s, "---"}, // the first no longer counts
        {{t0, t1, t2}, 61s, "---"},
    };
    for (const Row& r : rows) CHECK(held(r.out, r.now) == r.braked);
}

TEST_CASE("P5: A out and back, then B down within the minute: B leaves at once") {
    CHECK(held({in, dawn + 20s}, 20s) == "--");
}

TEST_CASE("L9: the share is rounded down, and one may always go") {
    auto out_of = [](std::size_t n, double share) {
        Out all(n, dawn);
        auto held = braked(all, n, {.max_share = share}, dawn);
        return n - static_cast<std::size_t>(std::ranges::count(held, true));
    };
    CHECK(out_of(1, 0.5) == 1);
    CHECK(out_of(2, 0.5) == 1);
    CHECK(out_of(3, 0.5) == 1);
    CHECK(out_of(4, 0.5) == 2);
    CHECK(out_of(5, 0.5) == 2);
    CHECK(out_of(10, 0.0) == 1);
    CHECK(out_of(10, 0.1) == 1);
    CHECK(out_of(10, 0.3) == 3);
    CHECK(out_of(3, 2.0 / 3) == 2);
    CHECK(out_of(100, 0.29) == 29); // whatever floating point makes of it
    CHECK(out_of(4, 1.0) == 4);
}

TEST_CASE("L9: excluded endpoints are not counted in n") {
    // Four endpoints, two of them drained: of the two that count one may go.
    Out out{dawn, dawn + 1s, in, in};
    CHECK(braked(out, 2, {}, dawn + 1s) == std::vector<bool>{false, true, false, false});
    CHECK(braked(out, 4, {}, dawn + 1s) == std::vector<bool>{false, false, false, false});
}

TEST_CASE("the brake says when time alone will release it, and not after that") {
    Out out{in, dawn, dawn + 5s};
    CHECK(brake_due(out, {}, dawn + 6s) == dawn + 60s);
    CHECK(brake_due(out, {}, dawn + 60s) == dawn + 65s);
    CHECK_FALSE(brake_due(out, {}, dawn + 65s));
    CHECK_FALSE(brake_due(Out{in, in}, {}, dawn));
}

TEST_CASE(
    "min_datacenters: so many stay, however long the others are out; the first to go may always be out") {
    struct Row {
        Out out;
        std::size_t count, least;
        const char* kept;
    };
    const Instant t0 = dawn, t1 = dawn + 1s, t2 = dawn + 2s;
    const Row rows[] = {
        {{t0, in, in, in}, 4, 3, "----"}, {{t1, t0, in, in}, 4, 3, "K---"}, {{t1, t0, t2, in}, 4, 3, "K-K-"},
        {{t1, t0, t2, in}, 4, 2, "--K-"}, {{t1, t0, t2, in}, 4, 1, "----"}, {{t0, in}, 2, 2, "--"},
        {{t0, t0}, 2, 2, "-K"},           {{t0, t1, in}, 3, 9, "-K-"},      {{t0, t0, t0}, 3, 2, "-KK"},
        {{t0, in, in}, 2, 2, "---"},
    };
    for (const Row& row : rows) {
        std::string text;
        for (bool k : kept(row.out, row.count, row.least)) text += k ? 'K' : '-';
        CHECK(text == row.kept);
    }
}
