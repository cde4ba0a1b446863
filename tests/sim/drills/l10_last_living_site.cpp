#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L10: the hold-down never keeps the last living site out") {
    for (const auto& policy : {weighted, ordered("east, west")}) {
        CAPTURE(policy);
        Drill s{sites(2, {{"www", policy}})};
        s.runs(1min);
        s.application("east", saying::refused());
        s.application("west", saying::refused());
        s.runs(5min);
        // when one comes back
        auto back = s.application_works("west");
        s.runs(15s);
        // then it is used once it has passed `rise` times, long before its hold-down is over
        CHECK(s.answers("www") == "west");
        CHECK_FALSE(s.named("www", "east", back + 5 * 2s + 20ms));
    }
}

TEST_CASE("L10: a latch forbids failback while the active site is fit, and nothing when it is not") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "west");
    // when the other fails within east's own hold-down
    s.application_works("east");
    s.runs(15s);
    auto fault = s.application("west", saying::refused());
    s.runs(10s);
    // then east, which passes, is used
    CHECK(s.answers("batch") == "east");
    CHECK_FALSE(s.named("batch", "west", fault + 2800ms + 3 * 10ms + 10ms));
}

TEST_CASE("L10, L20: the last living site, used before its hold-down is over, is used after a restart too") {
    for (const auto& mode : {"all", "nodata", "servfail"}) {
        CAPTURE(mode);
        Drill s{sites(2, {{"www", weighted + "on_all_down: " + mode + "\n"}})};
        s.runs(1min);
        s.application("east", saying::refused());
        s.application("west", saying::refused());
        s.runs(5min);
        s.application_works("west");
        s.runs(15s);
        REQUIRE(s.answers("www") == "west");
        auto killed = s.now();
        s.restart(5s);
        s.runs(2min);
        CHECK(s.answers("www") == "west");
        CHECK(s.moves("www", killed) == 0);
    }
}
