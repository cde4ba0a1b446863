#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L1: a primary role gained counts after one re-test, with neither rise nor hold-down") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) { // phases
        // given: nobody runs anything by itself; the operators promote by hand
        Drill s{sites(2, {{"shop", follow}}), seed};
        s.runs(1min);
        REQUIRE(s.answers("shop") == "east");
        s.kill("east");
        s.runs(30s);
        REQUIRE(s.answers("shop") == "east"); // held: there is no primary
        // when
        auto promoted = s.now();
        s.database("west").promote();
        s.runs(10s);
        // then: an interval, the re-test, two looks, the store
        auto moved = s.first("shop", "west", promoted);
        REQUIRE(moved);
        CHECK(*moved - promoted <= 2s + 250ms + 2 * 10ms + 10ms);
        CHECK(s.moves("shop", promoted) == 1);
    }
}
