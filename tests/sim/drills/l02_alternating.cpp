#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H1, L2: results that alternate never move a member") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    bool odd = false;
    s.world().target("10.1.0.1:8080").script = [&] { return (odd = !odd) ? saying::refused() : Sight{}; };
    s.runs(a_quiet_day());
    CHECK(s.moves("www", 1min) == 0);
    CHECK(s.count(Change::member_down) == 0);
}
