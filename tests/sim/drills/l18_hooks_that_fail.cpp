#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using fairway::Hook;

namespace {
/// East dies while a program is broken. Returns the id of the switch that then waits.
std::string stuck(Drill& s) {
    s.runs(1min);
    s.kill("east");
    s.runs(2min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.critical("shop", 1min));
    return s.waiting_switch("shop");
}
} // namespace

TEST_CASE("D7, L17: a required fence that fails stops the switch; approving goes on without it") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.program(Hook::Step::fence).failure = "exit status 1: the power switch does not answer";
    auto id = stuck(s);
    CHECK(s.runbook().text() == "fence east"); // once: it is not repeated
    CHECK(s.count(Change::switch_failed) == 1);
    s.runs(1h);
    CHECK(s.runbook().text() == "fence east");
    REQUIRE_FALSE(id.empty());
    // when a person who has pulled the plug says go on
    CHECK(s.approve(id).accepted);
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L18: a program that hangs is ended at its own timeout and counts as failed") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.program(Hook::Step::fence).hangs = true;
    auto id = stuck(s);
    CHECK_FALSE(id.empty());
    const auto& run = s.runbook().runs().at(0);
    REQUIRE(run.ended);
    CHECK(*run.ended - run.begun == 10s);
    CHECK(s.runbook().runs().size() == 1);
}

TEST_CASE("L17, L18: a promote that fails is not repeated; approved, it is tried again, and nothing moved "
          "meanwhile") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.program(Hook::Step::promote).failure = "exit status 1: pg_ctl: could not send promote signal";
    auto id = stuck(s);
    CHECK(s.runbook().text() == "fence east, promote west");
    REQUIRE_FALSE(id.empty());
    s.program(Hook::Step::promote).failure.clear();
    CHECK(s.approve(id).accepted);
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west, promote west");
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L17: a prepare that fails stops the switch before anything is fenced") {
    Drill s{sites(2, {{"shop", follow + "failover: automatic\nhooks: {prepare: {exec: [/srv/scale]}, "
                                        "fence: {exec: [/srv/fence]}, promote: {exec: [/srv/promote]}}\n"}})};
    s.program(Hook::Step::prepare).failure = "exit status 1: quota";
    auto id = stuck(s);
    CHECK(s.runbook().text() == "prepare west");
    CHECK_FALSE(id.empty());
}

TEST_CASE("D7: a promote that says it worked moves nothing: only the role does") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    s.kill("east");
    // when: the program ends well, but the server crashed on the way
    REQUIRE(s.runs_until([&] { return s.count(Change::switch_step) > 0 && s.runbook().runs().size() == 2; },
                         1min));
    s.runs_until([&] { return s.runbook().runs().back().ended.has_value(); }, 1min);
    s.database("west").crash();
    s.runs(10min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.critical("shop", 1min));
}

TEST_CASE("L18: a fence that is not required may fail without stopping anything") {
    Drill s{sites(
        2, {{"shop", follow + "failover: automatic\nhooks: {fence: {exec: [/srv/fence], required: false}, "
                              "promote: {exec: [/srv/promote]}}\n"}})};
    s.program(Hook::Step::fence).failure = "exit status 1";
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
}
