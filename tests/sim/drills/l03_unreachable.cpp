#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L3: EHOSTUNREACH is silence, not evidence: a router that has lost the world takes nothing down") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    for (auto* site : {"east", "west", "eu"}) s.unreachable(site);
    s.runs(30min);
    CHECK(s.count(Change::member_down) == 0);
    CHECK(s.count(Change::self_doubt) == 1);
    CHECK(s.moves("www", 1min) == 0);
}

TEST_CASE("L3: one site behind a router that says so is as dead as a silent one") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    auto cut = s.unreachable("east");
    s.runs(1min);
    CHECK(s.answers("www") == "eu+west");
    CHECK_FALSE(s.named("www", "east", cut + 9s));
}
