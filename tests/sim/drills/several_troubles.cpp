// Troubles that come together, or that are neither life nor death.
#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("a site that is slow is not dead; one slower than anybody waits is silent, and left") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    s.runs(1min);
    s.world().site("east").rtt = 1500ms;
    auto slow = s.now();
    s.runs(30min);
    CHECK(s.moves("batch", slow) == 0);
    s.world().site("east").rtt = 3s;
    auto slower = s.now();
    s.runs(1min);
    CHECK(s.answers("batch") == "west");
    CHECK_FALSE(s.named("batch", "east", slower + 9s + 10ms));
}

TEST_CASE("a second failure: the site that was just moved to dies, and the third takes over") {
    Drill s{sites(3, {{"batch", ordered("east, west, eu")}})};
    s.runs(1min);
    s.application("east", saying::refused());
    REQUIRE(s.runs_until([&] { return s.answers("batch") == "west"; }, 10s));
    auto second = s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("batch") == "eu");
    CHECK_FALSE(s.named("batch", "west", second + 2800ms + 3 * 10ms + 10ms));
}

TEST_CASE("L10: the active site fails while the better one waits for its failback: it is taken at once") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "west");
    s.application_works("east");
    Duration waited{};
    SUBCASE("in its hold-down") { waited = 15s; }
    SUBCASE("in its failback delay") { waited = 2min; }
    s.runs(waited);
    REQUIRE(s.answers("batch") == "west");
    auto second = s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("batch") == "east");
    CHECK_FALSE(s.named("batch", "west", second + 2800ms + 3 * 10ms + 10ms));
}

TEST_CASE("L17: a new configuration in the midst of a failover: the switch goes on, once, under its id") {
    const auto before = sites(2, {{"shop", automatic}});
    const auto after = sites(2, {{"other", weighted}, {"shop", automatic + "ttl: 5s\n"}});
    Drill s{before};
    s.program(Hook::Step::promote).takes = 10s;
    s.runs(1min);
    s.kill("east");
    REQUIRE(s.runs_until([&] { return s.runbook().runs().size() == 2; }, 1min)); // the promote hook runs
    s.reload(after);
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
    CHECK(s.answers("other") == "west");
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.runbook().runs()[0].id == s.runbook().runs()[1].id);
    CHECK(s.count(policies::Change::switch_done) == 1);
}

TEST_CASE("an operator drains a site while another fails: nobody is sent to either, and nothing is lost") {
    Drill s{sites(3, {{"web", weighted}})};
    s.runs(1min);
    auto fault = s.application("east", saying::refused());
    s.runs(1s); // not yet known
    CHECK(s.drain("web", "west").accepted);
    s.runs(10s);
    CHECK(s.answers("web") == "eu");
    CHECK_FALSE(s.named("web", "east", fault + 3s));
    CHECK_FALSE(s.drain("web", "eu").accepted); // the last one
    s.undrain("web", "west");
    s.runs(2s);
    CHECK(s.answers("web") == "eu+west");
}
