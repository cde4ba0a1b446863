// The shrinker, proved by invariants that are wrong on purpose: what it tells is what it takes.
#include "tests/sim/swarm/life.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::sim;

TEST_CASE("swarm: a failure of a hundred faults is told as the one that it takes") {
    const Watch::Invariant nobody_drains = [](const Story& s) {
        return s.running() && s.count(policies::Change::override_set) > 0 ? "something was set" : "";
    };
    Script script{.lasts = 6min, .mended = false};
    while (live(script, nobody_drains).problems.empty()) ++script.seed; // the first that has a drain
    const Lived whole = live(script, nobody_drains);
    REQUIRE(whole.strikes.size() > 2);
    const Script small = shrink(script, nobody_drains);
    CHECK(small.strikes->size() == 1);
    CHECK(small.lasts <= script.lasts);
    const Lived told = live(small, nobody_drains);
    CHECK(told.services <= 2); // one, or the halves of one
    CHECK(told.problems.find("something was set") != std::string::npos);
    CHECK(told.faults.find("drain") != std::string::npos);
    CHECK(arguments(small).starts_with("--seed " + std::to_string(script.seed) + " --strikes "));
    // and without it nothing is wrong
    Script nothing = small;
    nothing.strikes->clear();
    CHECK(live(nothing, nobody_drains).problems.empty());
}

TEST_CASE("swarm: what needs two faults keeps two") {
    const Watch::Invariant never_both = [](const Story& s) {
        return s.running() && s.count(policies::Change::override_set) > 0 &&
                       s.count(policies::Change::member_down) > 0
                   ? "both"
                   : "";
    };
    Script script{.lasts = 6min, .mended = false};
    while (live(script, never_both).problems.empty()) ++script.seed;
    const Script small = shrink(script, never_both);
    CHECK(small.strikes->size() == 2);
}
