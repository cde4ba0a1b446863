#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L3: a daemon that was not scheduled for a while makes verdicts stale, never DOWN") {
    for (auto pause : {3s, 10s, 50s, 300s}) {
        Drill s{sites(3, {{"www", weighted}, {"shop", automatic}})};
        s.runs(1min);
        s.stall_daemon(pause);
        s.runs(10min);
        CHECK(s.count(Change::member_down) == 0);
        CHECK(s.moves("www", 1min) == 0);
        CHECK(s.moves("shop", 1min) == 0);
        CHECK_FALSE(s.critical("shop"));
        CHECK(s.runbook().runs().empty());
    }
}
