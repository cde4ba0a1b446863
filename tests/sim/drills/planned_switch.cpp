#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;
using fairway::Hook;

namespace {

const std::string announced = "ttl: {min: 5s, max: 30s}\n";
const std::string runbook = follow + "failover: approval\n" + announced +
                            "hooks: {prepare: {exec: [/srv/prepare]}, fence: {exec: [/srv/fence]}, "
                            "promote: {exec: [/srv/promote]}}\n";

} // namespace

TEST_CASE("D7: a planned switch is announced by a short TTL, runs the book, and is done when no old answer "
          "is left") {
    // given: a database in east, a TTL of 30 s in quiet days
    Drill s{sites(2, {{"shop", runbook}})};
    s.runs(2min);
    REQUIRE(s.ttl("shop") == 30);
    // when
    auto asked = s.now();
    REQUIRE(s.move("shop", "west").accepted);
    s.runs(1s);
    // then the TTL is down at once, and nothing is touched while old answers with the long one may be about
    CHECK(s.ttl("shop") == 5);
    REQUIRE(s.runs_until([&] { return !s.runbook().runs().empty(); }, 2min));
    CHECK(s.now() - asked >= 30s);
    CHECK(s.now() - asked <= 33s);
    CHECK(s.answers("shop") == "east");
    REQUIRE(s.runs_until([&] { return s.answers("shop") == "west"; }, 1min));
    auto moved = s.now();
    CHECK(s.runbook().text() == "prepare west, fence east, promote west");
    CHECK(s.report("shop").running);
    // and it is done once the last answer that names east is gone, not before
    REQUIRE(s.runs_until([&] { return s.count(Change::switch_done, asked) == 1; }, 1min));
    CHECK(s.now() - moved >= 5s);
    CHECK(s.now() - moved <= 7s);
    CHECK(s.moves("shop", asked) == 1);
    CHECK_FALSE(s.said("shop", "SERVFAIL", asked));
}

TEST_CASE("a dry run tells the steps and begins none") {
    Drill s{sites(2, {{"shop", runbook}})};
    s.runs(2min);
    auto asked = s.now();
    auto told = s.move("shop", "west", true);
    CHECK(told.accepted);
    CHECK(std::ranges::count_if(told.details, [](auto& l) { return l.starts_with("fence: its hook"); }) == 1);
    CHECK(told.details.front().starts_with("announce: TTL 5"));
    s.runs(5min);
    CHECK_FALSE(s.report("shop").running);
    CHECK(s.ttl("shop") == 30);
    CHECK(s.moves("shop", asked) == 0);
    // and what could not be done is refused, dry or not
    CHECK_FALSE(s.move("shop", "east", true).accepted); // it is there already
    s.application("west", saying::refused());
    s.runs(1min);
    CHECK_FALSE(s.move("shop", "west", true).accepted);
    CHECK_FALSE(s.move("shop", "west").accepted);
}

TEST_CASE(
    "L17: a step of a planned switch that fails stops it, the old site serves on, and a person decides") {
    for (auto step : {Hook::Step::prepare, Hook::Step::fence}) {
        CAPTURE(to_string(step));
        Drill s{sites(2, {{"shop", runbook}})};
        s.program(step).failure = "exit status 1";
        s.runs(2min);
        auto asked = s.now();
        s.move("shop", "west");
        s.runs(1h);
        CHECK(s.answers("shop") == "east");
        CHECK(s.moves("shop", asked) == 0);
        CHECK_FALSE(s.waiting_switch("shop").empty());
        CHECK(s.critical("shop", asked));
    }
}

TEST_CASE("L20: a restart in the middle of each step of a planned switch changes nothing of its course") {
    for (auto until : {10s, 31s, 33s, 35s, 38s})
        for (auto away : {2s, 30s}) {
            CAPTURE(until.count());
            CAPTURE(away.count());
            Drill s{sites(2, {{"shop", runbook}})};
            for (auto step : {Hook::Step::prepare, Hook::Step::fence, Hook::Step::promote})
                s.program(step).takes = 2s;
            s.runs(2min);
            auto asked = s.now();
            s.move("shop", "west");
            s.runs(until);
            s.restart(away);
            s.runs(5min);
            CHECK(s.answers("shop") == "west");
            CHECK(s.moves("shop", asked) == 1);
            CHECK(s.count(Change::switch_done, asked) == 1);
            CHECK(std::ranges::all_of(s.runbook().runs(),
                                      [&](auto& r) { return r.id == s.runbook().runs().front().id; }));
        }
}

TEST_CASE("an operator gives a planned switch up while nothing has been touched, and not later") {
    Drill s{sites(2, {{"shop", runbook}})};
    s.runs(2min);
    auto asked = s.now();
    s.move("shop", "west");
    s.runs(10s);
    CHECK(s.gives_up("shop").accepted);
    s.runs(5min);
    CHECK(s.runbook().runs().empty());
    CHECK(s.count(Change::switch_obsolete, asked) == 1);
    CHECK(s.ttl("shop") == 30); // and quiet days are back
    CHECK(s.moves("shop", asked) == 0);
    CHECK_FALSE(s.gives_up("shop").accepted); // there is none any more
    // the fence has begun: too late
    s.program(Hook::Step::promote).takes = 10s;
    s.move("shop", "west");
    REQUIRE(s.runs_until([&] { return s.runbook().text().find("promote") != std::string::npos; }, 2min));
    CHECK_FALSE(s.gives_up("shop").accepted);
    s.runs(2min);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("the old site fails while a switch is announced: there is no time left, it goes on at once") {
    Drill s{sites(2, {{"shop", runbook}})};
    s.runs(2min);
    auto asked = s.now();
    s.move("shop", "west");
    s.runs(3s);
    s.database("east").crash();
    REQUIRE(s.runs_until([&] { return s.answers("shop") == "west"; }, 1min));
    CHECK(s.now() - asked < 20s);
    // old answers with the long TTL are waited for all the same
    REQUIRE(s.runs_until([&] { return s.count(Change::switch_done, asked) == 1; }, 1min));
    CHECK(s.now() - asked >= 30s);
}

TEST_CASE("the new site fails while a switch is announced: nothing moves") {
    Drill s{sites(2, {{"shop", runbook}})};
    s.runs(2min);
    auto asked = s.now();
    s.move("shop", "west");
    s.runs(3s);
    s.kill("west");
    s.runs(10min);
    CHECK(s.count(Change::switch_obsolete, asked) == 1);
    CHECK(s.runbook().runs().empty());
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("without a database a planned switch moves the latch, and it stays there") {
    Drill s{sites(2, {{"www", ordered("east, west") + "failback: manual\n" + announced},
                      {"back", ordered("east, west")}})};
    s.runs(2min);
    auto asked = s.now();
    REQUIRE(s.move("www", "west").accepted);
    CHECK_FALSE(s.move("back", "west").accepted); // it would return by itself after five minutes
    s.runs(20s);
    CHECK(s.answers("www") == "east");
    s.runs(20s);
    CHECK(s.answers("www") == "west");
    CHECK(s.count(Change::switch_done, asked, "www") == 1);
    s.runs(a_quiet_day());
    CHECK(s.moves("www", asked) == 1);
    CHECK(s.move("www", "east").accepted);
    s.runs(2min);
    CHECK(s.answers("www") == "east");
}
