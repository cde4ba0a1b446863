#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L1: a healthy standby passes; its role is a fact beside that, and no verdict") {
    // given: a service that reads from whichever copy, so nothing is asked of the role
    Drill s{sites(2, {{"reports", "policy: weighted\napplication: web\nstateful: db\n"}})};
    // when
    s.runs(1h);
    // then
    CHECK(s.answers("reports") == "east+west");
    CHECK(s.endpoint("reports", "west").role == fairway::Role::standby);
    CHECK(s.count(Change::member_down) == 0);
}
