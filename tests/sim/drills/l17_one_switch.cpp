#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using fairway::Hook;

TEST_CASE("L17: a service has one switch: further reasons join it") {
    Drill s{sites(3, {{"shop", automatic}})};
    s.program(Hook::Step::fence).takes = 8s;
    s.runs(1min);
    // when the application fails first, then the database, then an operator asks as well
    auto fault = s.application("east", saying::status(503));
    s.runs(3s);
    s.database("east").crash();
    s.runs(3s);
    s.failover("shop", "eu");
    s.runs(2min);
    // then
    CHECK(s.count(Change::switch_started, fault) == 1);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L17, L20: a step interrupted by a restart is run again with the same id") {
    for (auto step : {Hook::Step::fence, Hook::Step::promote}) {
        for (auto away : {1s, 30s, 600s}) {
            CAPTURE(to_string(step));
            CAPTURE(away.count());
            Drill s{sites(2, {{"shop", automatic}})};
            s.program(step).takes = 6s;
            s.runs(1min);
            auto death = s.kill("east");
            auto begun = [&] {
                return !s.runbook().runs().empty() && s.runbook().runs().back().step == step;
            };
            REQUIRE(s.runs_until(begun, 1min));
            s.runs(1s);
            // when
            s.restart(away);
            s.runs(2min);
            // then
            CHECK(s.answers("shop") == "west");
            CHECK_FALSE(s.named("shop", "SERVFAIL", death, death + 15s));
            std::string id;
            for (const auto& run : s.runbook().runs()) {
                if (id.empty()) id = run.id;
                CHECK(run.id == id);
            }
            CHECK(s.runbook().runs().back().step == Hook::Step::promote);
            CHECK(s.count(Change::switch_done) == 1);
        }
    }
}

TEST_CASE(
    "L17: the reason is judged again before the fence; gone, the switch and its approval end as obsolete") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    // when the primary comes back by itself
    auto back = s.revive("east");
    s.runs(1min);
    // then
    CHECK(s.count(Change::switch_obsolete, back) == 1);
    CHECK(s.waiting_switch("shop").empty());
    CHECK_FALSE(s.approve(id).accepted);
    s.runs(10min);
    CHECK(s.runbook().runs().empty());
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", 1min) == 0);
}

TEST_CASE("L17: gone while it prepares: nothing is fenced") {
    Drill s{sites(
        2, {{"shop", follow + "failover: automatic\nhooks: {prepare: {exec: [/srv/scale], timeout: 120s}, "
                              "fence: {exec: [/srv/fence]}, promote: {exec: [/srv/promote]}}\n"}})};
    s.program(Hook::Step::prepare).takes = 60s;
    s.runs(1min);
    s.kill("east");
    REQUIRE(s.runs_until([&] { return !s.runbook().runs().empty(); }, 1min));
    s.revive("east");
    s.runs(10min);
    CHECK(s.runbook().text() == "prepare west");
    CHECK(s.answers("shop") == "east");
    CHECK(s.count(Change::switch_obsolete) == 1);
}

TEST_CASE("L17: an approval names the id, and another id is none") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    CHECK_FALSE(s.approve("something else").accepted);
    s.runs(1min);
    CHECK(s.runbook().runs().empty());
}

TEST_CASE("L17: an approval is durable, and expires after 24 hours unused") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    auto id = s.waiting_switch("shop");
    s.restart(10min);
    s.runs(1min);
    CHECK(s.waiting_switch("shop") == id);
    CHECK(s.approve(id).accepted);
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L14, L17: an operator's failover runs the hooks and waits for the role") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    auto asked = s.now();
    CHECK(s.failover("shop", "west").accepted);
    s.runs(500ms);
    CHECK(s.answers("shop") == "east"); // until the role is seen
    s.runs(1min);
    CHECK(s.runbook().text() == "fence east, promote west");
    CHECK(s.answers("shop") == "west");
    CHECK(s.moves("shop", asked) == 1);
    CHECK(s.count(Change::two_primaries) == 0);
    CHECK_FALSE(s.report("shop").running);
}

TEST_CASE("L17: an operator's failover to where nothing could take over is refused, and why is said") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("west");
    s.runs(1min);
    auto told = s.failover("shop", "west");
    CHECK_FALSE(told.accepted);
    CHECK(told.message.find("west") != std::string::npos);
    CHECK_FALSE(s.failover("shop", "nowhere").accepted);
    s.runs(1min);
    CHECK(s.runbook().runs().empty());
}

TEST_CASE("L17: a primary that appears elsewhere while the switch runs ends it before promote") {
    for (auto step : {Hook::Step::prepare, Hook::Step::fence}) {
        for (std::uint64_t seed = 1; seed <= 20; ++seed) {
            CAPTURE(to_string(step));
            Drill s{sites(3, {{"shop",
                               follow + "failover: automatic\n"
                                        "hooks: {prepare: {exec: [/srv/scale]}, fence: {exec: [/srv/fence]}, "
                                        "promote: {exec: [/srv/promote]}}\n"}}),
                    seed};
            s.program(step).takes = 10s;
            s.runs(1min);
            // given: east is dead, the switch to west is under way
            s.kill("east");
            auto begun = [&] {
                return !s.runbook().runs().empty() && s.runbook().runs().back().step == step;
            };
            REQUIRE(s.runs_until(begun, 1min));
            // when somebody promotes eu by hand
            s.runs(Random(seed).between(0s, 7s));
            s.database("eu").promote();
            s.runs(1min);
            // then nobody promotes west as well
            CHECK(s.runbook().text().find("promote") == std::string::npos);
            CHECK(s.database("west").role() == fairway::Role::standby);
            CHECK(s.answers("shop") == "eu");
            CHECK(s.count(Change::two_primaries) == 0);
        }
    }
}

TEST_CASE("L17: a switch that was approved in the dark is judged by what is seen, not by what was") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{sites(3, {{"shop", by_approval}}), seed};
        s.runs(1min);
        // given: east dies, a switch to west waits for approval, and then we lose our own interface
        s.kill("east");
        s.runs(1min);
        auto id = s.waiting_switch("shop");
        REQUIRE_FALSE(id.empty());
        s.world().interface = false;
        s.runs(1min);
        // when the others help themselves, an operator approves what he still sees, and we see again
        s.database("eu").promote();
        s.revive("east");
        s.database("east").rejoin();
        s.approve(id);
        s.runs(1min);
        s.world().interface = true;
        s.runs(2min);
        // then nobody makes a second primary
        CHECK(s.database("west").role() == fairway::Role::standby);
        CHECK(s.answers("shop") == "eu");
        CHECK(s.count(Change::two_primaries) == 0);
    }
}

TEST_CASE("L17: what cannot be looked at is asked about, and a person who can see lets the switch go on") {
    Drill s{sites(3, {{"shop", by_approval}})};
    s.runs(1min);
    s.kill("east");
    s.runs(1min);
    auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    // given: approved while this node sees nothing
    s.world().interface = false;
    s.runs(1min);
    s.approve(id);
    // when it stays so: nothing runs, and the switch asks again
    s.runs(59s);
    CHECK(s.waiting_switch("shop").empty());
    s.runs(5s);
    CHECK(s.waiting_switch("shop") == id);
    CHECK(s.runbook().runs().empty());
    // then a second word is enough, once the target is seen
    s.approve(id);
    s.runs(30s);
    CHECK(s.runbook().runs().empty());
    s.world().interface = true;
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
}

namespace {

const std::string no_fence = follow + "failover: automatic\nhooks: {promote: {exec: [/srv/promote]}}\n";

} // namespace

TEST_CASE("L17: the application fails and waits for a person, then its database dies: judged anew, it is "
          "promoted") {
    Drill s{sites(2, {{"shop", no_fence}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE_FALSE(s.waiting_switch("shop").empty()); // the database lives
    CHECK(s.runbook().runs().empty());
    s.database("east").crash();
    s.runs(1min);
    CHECK(s.runbook().text() == "promote west");
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L17: what waits because promoting would make two goes on once the primary has gone") {
    for (bool dies : {true, false}) {
        CAPTURE(dies);
        Drill s{sites(2, {{"shop", no_fence}})};
        s.runs(1min);
        auto told = s.move("shop", "west", true);
        REQUIRE(told.accepted);
        CHECK(told.details.back().find("no fence hook stops the primary in east") != std::string::npos);
        REQUIRE(s.move("shop", "west").accepted);
        s.runs(10min);
        CHECK(s.runbook().runs().empty()); // nothing is promoted beside a living primary
        CHECK(s.answers("shop") == "east");
        REQUIRE_FALSE(s.waiting_switch("shop").empty());
        CHECK(s.report("shop").running->failure.find("once the primary in east is stopped") !=
              std::string::npos);
        s.restart(5s);
        s.runs(1min);
        if (dies) s.database("east").crash();
        else s.database("east").steps_down();
        s.runs(1min);
        CHECK(s.runbook().text() == "promote west");
        CHECK(s.answers("shop") == "west");
        CHECK(s.count(Change::two_primaries) == 0);
    }
}

TEST_CASE("L17: an approved switch of a failing application promotes nothing beside its living primary "
          "unless a person insists") {
    Drill s{sites(2, {{"shop", no_fence}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.approve(s.waiting_switch("shop")).accepted);
    s.runs(10min);
    CHECK(s.runbook().runs().empty());
    REQUIRE(s.approve(s.waiting_switch("shop")).accepted); // once more: it insists
    s.runs(10s);
    CHECK(s.runbook().text() == "promote west");
}

TEST_CASE("L17: a switch whose fence has begun is given up by force, and one whose reason holds is not") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.program(Hook::Step::promote).failure = "exit status 1";
    s.runs(1min);
    REQUIRE(s.failover("shop", "west").accepted);
    s.runs(1min);
    REQUIRE_FALSE(s.waiting_switch("shop").empty());
    auto plain = s.gives_up("shop");
    CHECK_FALSE(plain.accepted);
    CHECK(plain.message.find("--abort --force") != std::string::npos);
    s.database("east").recover(); // undone by hand
    s.runs(1min);
    CHECK(s.gives_up("shop", true).accepted);
    s.runs(10min);
    CHECK_FALSE(s.report("shop").running);
    // one that waits by itself would begin again at once
    s.kill("east");
    s.runs(1min);
    const auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    auto by_itself = s.gives_up("shop");
    CHECK_FALSE(by_itself.accepted);
    CHECK(by_itself.message.find("fairwayctl freeze") != std::string::npos);
    CHECK(s.waiting_switch("shop") == id);
}
