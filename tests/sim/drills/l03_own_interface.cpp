#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H4, H6, L3: without an interface of our own everything is unknown and nothing moves") {
    Drill s{sites(3, {{"www", weighted}, {"shop", automatic}})};
    s.runs(1min);
    auto before = s.answers("www");
    s.world().interface = false;
    s.runs(1h);
    CHECK(s.answers("www") == before);
    CHECK(s.moves("www", 1min) == 0);
    CHECK(s.moves("shop", 1min) == 0);
    CHECK(s.count(Change::member_down) == 0);
    CHECK(s.runbook().runs().empty());
    // and nothing moves when it is back
    s.world().interface = true;
    s.runs(10min);
    CHECK(s.moves("www", 1min) == 0);
    CHECK(s.moves("shop", 1min) == 0);
}
