#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("S2, L1: a site whose store has lost quorum is left although its web tier answers 200") {
    // given: three sites and a store that reports its quorum
    Drill s{sites(3, {{"api", "policy: weighted\napplication: web\nstateful: db\n"}})};
    for (auto* site : {"east", "west", "eu"}) s.store_reports(site, {.quorum = true});
    s.runs(1min);
    REQUIRE(s.answers("api") == "east+eu+west");
    // when: east is cut off from its peers, but not from us
    auto cut = s.now();
    s.store_reports("east", {.quorum = false});
    s.runs(1min);
    // then
    CHECK(s.answers("api") == "eu+west");
    CHECK_FALSE(s.named("api", "east", cut + 2s + 500ms + 3 * 10ms + 10ms));
    CHECK(s.endpoint("api", "east").application == Readiness::ready);
    CHECK(s.endpoint("api", "east").stateful == Readiness::unready);
    // and: it returns by itself
    s.store_reports("east", {.quorum = true});
    s.runs(1min);
    CHECK(s.answers("api") == "east+eu+west");
}
