#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

Sight degraded() { return {.outcome = Outcome::degraded, .reason = Reason::no_quorum}; }

Sight asks_for(double weight) {
    Sight s;
    s.facts.weight = weight;
    return s;
}

} // namespace

TEST_CASE("degraded lowers preference without removing: a site that lost its redundancy still serves") {
    Drill s{sites(3, {{"shop", ordered("east, west, eu")}, {"www", weighted}})};
    s.runs(1min);
    auto lost = s.application("west", degraded());
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu+west");
    CHECK(s.answers("shop") == "east");

    auto fault = s.kill("east");
    s.runs(1min);
    CHECK(s.answers("shop") == "eu"); // the second in order is degraded, the third is whole
    CHECK(s.answers("www") == "eu+west");

    s.kill("eu");
    s.runs(1min);
    CHECK(s.answers("shop") == "west");                   // better degraded than nothing (L10)
    CHECK(s.count(Change::endpoint_degraded, lost) == 2); // once for each service
    CHECK(s.count(Change::all_down, fault) == 0);
}

TEST_CASE("a site that asks for less gets less, one that drains itself nothing, until it is the last") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", asks_for(0.5));
    s.runs(5s);
    CHECK(s.answers("www") == "east+west");
    s.application("east", asks_for(0));
    s.runs(5s);
    CHECK(s.answers("www") == "west");
    s.kill("west");
    s.runs(1min);
    CHECK(s.answers("www") == "east");
}
