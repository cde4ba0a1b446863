#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H6, L4: references all silent while targets answer: an alarm, no doubt, no change") {
    Drill s{sites(3, {{"www", weighted}}, with_references)};
    s.runs(1min);
    auto begin = s.references(saying::nothing());
    s.runs(10min);
    CHECK(s.count(Change::references_silent) == 1);
    CHECK(s.count(Change::self_doubt) == 0);
    CHECK(s.moves("www", begin) == 0);

    SUBCASE("a site that then dies is left as always") {
        auto death = s.kill("east");
        s.runs(1min);
        CHECK(s.answers("www") == "eu+west");
        CHECK_FALSE(s.named("www", "east", death + 9s + 2s));
    }
    SUBCASE("and the alarm ends when one answers") {
        s.references_work();
        s.runs(1min);
        CHECK(s.count(Change::references_answer) == 1);
    }
}

TEST_CASE("L4: a reference that refuses has answered") {
    Drill s{sites(3, {{"www", weighted}}, with_references)};
    s.references(saying::refused());
    s.runs(10min);
    CHECK(s.count(Change::references_silent) == 0);
}
