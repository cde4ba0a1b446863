#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("S1: of three active sites over one consistent store one dies, and comes back by itself once it "
          "has caught up") {
    for (const auto& kill : {true, false}) {
        CAPTURE(kill);
        // given
        Drill s{
            sites(3, {{"api", "policy: weighted\nconsistency: strong\napplication: web\nstateful: db\n"}})};
        for (auto* site : {"east", "west", "eu"}) s.store_reports(site, {.quorum = true});
        s.runs(1min);
        REQUIRE(s.answers("api") == "east+eu+west");
        // when it dies, or is cut off from everybody
        auto death = kill ? s.kill("east") : s.partition("east");
        s.runs(10min);
        // then traffic leaves it and stays with the others
        CHECK(s.answers("api") == "eu+west");
        CHECK_FALSE(s.named("api", "east", death + 9s + 2s));
        CHECK(s.moves("api", death) == 1);
        // when it is back, but its store has not caught up yet
        auto back = kill ? s.revive("east") : s.heal("east");
        s.store_reports("east", {.quorum = false});
        s.runs(10min);
        CHECK(s.moves("api", back) == 0);
        // and once it has, nobody needs to do anything
        auto caught_up = s.now();
        s.store_reports("east", {.quorum = true});
        s.runs(2min);
        CHECK(s.answers("api") == "east+eu+west");
        CHECK(s.moves("api", caught_up) == 1);
        CHECK_FALSE(s.said("api", "SERVFAIL", death));
    }
}
