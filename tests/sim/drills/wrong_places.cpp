// The link between two sites is cut; a person promotes what should not have been.
#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("D6: the link between two sites is cut: the primary goes on, its standby falls behind, and is not "
          "promoted by itself any more") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(5min);
    const auto cut = s.now();
    s.world().cut("east", "west"); // we reach both
    s.runs(30min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", cut) == 0);
    CHECK(s.runbook().runs().empty());
    CHECK_FALSE(s.critical("shop", cut));
    // when the primary dies, half an hour of writes would be lost: a person decides
    const auto death = s.kill("east");
    s.runs(5min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.runbook().text().find("promote") == std::string::npos);
    REQUIRE_FALSE(s.waiting_switch("shop").empty());
    CHECK(s.critical("shop", death));
    // and where it is mended in time, nobody is asked
    SUBCASE("a person takes the loss") {
        CHECK(s.approve(s.waiting_switch("shop")).accepted);
        s.runs(2min);
        CHECK(s.answers("shop") == "west");
    }
    SUBCASE("it is back") {
        s.revive("east");
        s.world().mend("east", "west");
        s.runs(2min);
        CHECK(s.answers("shop") == "east");
        CHECK(s.waiting_switch("shop").empty());
    }
}

TEST_CASE(
    "D3, L14: a standby promoted by hand at a site whose application is down: traffic follows the role, "
    "and somebody is called") {
    Drill s{sites(3, {{"shop", by_approval}})};
    s.runs(1min);
    s.application("eu", saying::refused());
    s.runs(1min);
    s.kill("east");
    s.runs(20s);
    const auto deed = s.now();
    s.database("eu").promote(); // west was meant
    s.runs(1min);
    CHECK(s.answers("shop") == "eu");
    CHECK(s.moves("shop", deed) == 1);
    CHECK(s.critical("shop", deed));
    CHECK(s.alarm("partial_failure"));
    // and it is put right by the same means
    s.database("eu").steps_down();
    s.database("west").promote();
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.alarm("partial_failure"));
}

TEST_CASE("D4: a standby promoted by hand while the primary lives: nothing moves until one of them is gone") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    const auto deed = s.now();
    s.database("west").promote();
    s.runs(1h);
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", deed) == 0);
    CHECK(s.alarm("two_primaries"));
    CHECK(s.runbook().runs().empty());
    s.database("west").crash();
    s.runs(1min);
    CHECK(s.answers("shop") == "east");
    CHECK_FALSE(s.alarm("two_primaries"));
}

TEST_CASE(
    "S9: a strong service of two sites says at its birth that it needs a third, and serves all the same") {
    Drill s{sites(2, {{"shop", "policy: weighted\nconsistency: strong\napplication: web\nstateful: db\n"}})};
    s.runs(1min);
    CHECK(s.answers("shop") == "east+west");
    CHECK(s.report("shop").designed == 0); // no majority survives the loss of either
    const auto loss = s.kill("east");
    s.runs(30s);
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.named("shop", "east", loss + 10s));
}
