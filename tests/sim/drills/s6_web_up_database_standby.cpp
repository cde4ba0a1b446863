#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("S6: a site whose web tier answers 200 over a database that refuses writes is not the active one") {
    // given: east has the primary; west is well, but a standby
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1h);
    CHECK(s.endpoint("shop", "west").application == Readiness::ready);
    CHECK_FALSE(s.named("shop", "west", {}));
    // when the whole primary site is gone
    s.kill("east");
    s.runs(a_quiet_day());
    // then not even that makes west eligible
    CHECK_FALSE(s.named("shop", "west", {}));
    CHECK(s.report("shop").state == "held: no primary");
}

TEST_CASE("S6: and when the role moves while both web tiers are well, the answer follows") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1h);
    auto moved = s.now();
    s.database("east").steps_down();
    s.database("west").promote();
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.named("shop", "east", moved + 2s + 800ms));
}
