// L16-L18: a switch walks through the operator's runbook, one step after the other.
#include "policies/runbook.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

using Step = Hook::Step;

/// A switch from east to west, and the world as it sees it.
struct Walkthrough {
    explicit Walkthrough(std::initializer_list<Step> hooks, SwitchCause cause = SwitchCause::primary_gone,
                         const std::string& wait = "")
        : model(world(2)) {
        follow_service(model);
        add_hooks(service(), hooks);
        s = new_switch(service(), cause, "e7", "east", "west", "primary gone in east", wait, at(0s));
    }
    Service& service() { return model.services[0]; }
    RunbookView view() const {
        return {.service = model.services[0],
                .cause_holds = cause_holds,
                .role_arrived = role_arrived,
                .role_elsewhere = role_elsewhere,
                .guard = guard,
                .lag = 3s,
                .now = at(time)};
    }
    void take(RunbookStep step) {
        for (auto& h : step.hooks) asked.push_back(h);
        for (auto& t : step.transitions) said.push_back(t);
        ended |= step.ended;
        changed = step.changed;
    }
    void go() { take(advance(s, hook_running, view())); }
    void hook(Step step, bool ok, const std::string& detail = "") {
        take(hook_ended(s, hook_running, {"shop.test", s.id, step, ok, detail}, view()));
        if (!ended) go();
    }
    void approved() {
        take(approve(s, hook_running, "ann", view()));
        go();
    }
    std::vector<Step> order() const {
        std::vector<Step> list;
        for (auto& h : asked) list.push_back(h.step);
        return list;
    }
    bool says(Change c) const { return std::ranges::find(said, c, &Transition::change) != said.end(); }

    Model model;
    Switch s;
    bool hook_running = false, cause_holds = true, role_arrived = false, role_elsewhere = false;
    std::optional<std::string> guard;
    Duration time{};
    std::vector<HookRequest> asked;
    std::vector<Transition> said;
    bool ended = false, changed = false;
};

using Steps = std::vector<Step>;

} // namespace

TEST_CASE("L18: prepare, fence, promote, wait for the role, after_failover: each once and in this order") {
    Walkthrough w({Step::prepare, Step::fence, Step::promote, Step::after_failover});
    w.go();
    CHECK(w.order() == Steps{Step::prepare});
    w.go(); // asking again asks nothing
    CHECK(w.order() == Steps{Step::prepare});
    w.hook(Step::prepare, true);
    w.hook(Step::fence, true);
    CHECK(w.order() == Steps{Step::prepare, Step::fence, Step::promote});
    w.hook(Step::promote, true);
    CHECK(w.s.step == SwitchStep::await_role);
    w.go();
    CHECK_FALSE(w.ended); // D7: traffic and switch wait for the role
    w.role_arrived = true;
    w.go();
    CHECK(w.order() == Steps{Step::prepare, Step::fence, Step::promote, Step::after_failover});
    w.hook(Step::after_failover, true);
    CHECK(w.ended);
    CHECK(w.said.back().change == Change::switch_done);
}

TEST_CASE("L18: a hook is told service, switch, sites, reason and lag") {
    Walkthrough w({Step::promote});
    w.go();
    REQUIRE(w.asked.size() == 1);
    const HookRequest& h = w.asked[0];
    CHECK(h.switch_id == w.s.id);
    CHECK(h.from == "east");
    CHECK(h.to == "west");
    CHECK(h.reason == "primary gone in east");
    CHECK(h.lag == Duration{3s});
}

TEST_CASE("hooks that are not there are passed over") {
    const Steps all{Step::prepare, Step::fence, Step::promote, Step::after_failover};
    for (unsigned bits = 0; bits < 16; ++bits) {
        Walkthrough w({});
        Steps expected;
        for (unsigned i = 0; i < 4; ++i)
            if (bits >> i & 1) {
                add_hooks(w.service(), {all[i]});
                expected.push_back(all[i]);
            }
        w.go();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            if (expected[i] == Step::after_failover) break;
            w.hook(expected[i], true);
        }
        CHECK_FALSE(w.ended);
        w.role_arrived = true;
        w.go();
        if (bits & 8) w.hook(Step::after_failover, true);
        CHECK(w.order() == expected);
        CHECK(w.ended);
    }
}

TEST_CASE("L17: a required fence that fails stops the switch; approval goes on without it") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    w.hook(Step::fence, false, "exit status 1");
    CHECK(w.s.step == SwitchStep::awaiting_approval);
    CHECK(w.says(Change::switch_failed));
    CHECK(w.said.back().severity == Severity::critical);
    CHECK(w.s.failure.find("exit status 1") != std::string::npos);
    w.go();
    CHECK(w.order() == Steps{Step::fence}); // nothing is repeated, nothing promoted
    w.approved();
    CHECK(w.order() == Steps{Step::fence, Step::promote});
    CHECK(w.s.operator_name == "ann");
}

TEST_CASE("a fence that is not required may fail") {
    Walkthrough w({Step::fence, Step::promote});
    w.service().hooks[Step::fence].required = false;
    w.go();
    w.hook(Step::fence, false, "exit status 1");
    CHECK(w.says(Change::switch_failed)); // said, not hidden
    CHECK(w.order() == Steps{Step::fence, Step::promote});
}

TEST_CASE("L17: prepare that fails waits and is not repeated; approval goes past it") {
    Walkthrough w({Step::prepare, Step::fence, Step::promote});
    w.go();
    w.hook(Step::prepare, false, "timed out after 60s");
    CHECK(w.s.step == SwitchStep::awaiting_approval);
    w.approved();
    CHECK(w.order() == Steps{Step::prepare, Step::fence});
}

TEST_CASE("L17: promote that fails waits; approval asks for it once more with the same id") {
    Walkthrough w({Step::promote});
    w.go();
    w.hook(Step::promote, false, "exit status 2");
    CHECK(w.s.step == SwitchStep::awaiting_approval);
    w.approved();
    REQUIRE(w.asked.size() == 2);
    CHECK(w.asked[0].switch_id == w.asked[1].switch_id);
    w.hook(Step::promote, true);
    CHECK(w.s.step == SwitchStep::await_role);
}

TEST_CASE("after_failover may fail: the switch is done all the same") {
    Walkthrough w({Step::after_failover});
    w.role_arrived = true;
    w.go();
    w.hook(Step::after_failover, false, "exit status 1");
    CHECK(w.ended);
    CHECK(w.says(Change::switch_failed));
    CHECK(w.said.back().change == Change::switch_done);
}

TEST_CASE("L17: the reason gone before a fence has begun ends the switch as obsolete, approval and all") {
    SUBCASE("while it waits for approval") {
        Walkthrough w({Step::fence, Step::promote}, SwitchCause::primary_gone, "approval is configured");
        w.go();
        CHECK_FALSE(w.ended);
        w.cause_holds = false;
        w.go();
        CHECK(w.ended);
        CHECK(w.says(Change::switch_obsolete));
    }
    SUBCASE("before fence") {
        Walkthrough w({Step::prepare, Step::fence, Step::promote});
        w.go();
        w.cause_holds = false;
        w.hook(Step::prepare, true);
        CHECK(w.ended);
        CHECK(w.order() == Steps{Step::prepare});
    }
    SUBCASE("before promote, where there is no fence") {
        Walkthrough w({Step::prepare, Step::promote});
        w.go();
        w.cause_holds = false;
        w.hook(Step::prepare, true);
        CHECK(w.ended);
        CHECK(w.order() == Steps{Step::prepare});
    }
}

TEST_CASE("L17: once a fence has begun the switch goes on, the old site may be cut off already") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    CHECK(w.s.fence_begun);
    w.cause_holds = false;
    w.hook(Step::fence, true);
    CHECK_FALSE(w.ended);
    CHECK(w.order() == Steps{Step::fence, Step::promote});
}

TEST_CASE("a promotion under way is not called off") {
    Walkthrough w({Step::promote});
    w.go();
    w.hook(Step::promote, true);
    w.cause_holds = false; // the target answers as a primary at last
    w.go();
    CHECK_FALSE(w.ended);
}

TEST_CASE("L17: approval expires after 24 hours, not before") {
    Walkthrough w({Step::promote}, SwitchCause::primary_gone, "approval is configured");
    w.time = 24h - 1ms;
    w.go();
    CHECK_FALSE(w.ended);
    w.time = 24h;
    w.go();
    CHECK(w.ended);
    CHECK(w.asked.empty());
}

TEST_CASE("L17: the id is of service, followed epoch and target") {
    Walkthrough w({});
    auto id = [&](const char* epoch, const char* to, SwitchCause cause) {
        return new_switch(w.service(), cause, epoch, "east", to, "why", "", at(1h)).id;
    };
    CHECK(id("e7", "west", SwitchCause::primary_gone) == w.s.id);
    CHECK(id("e7", "west", SwitchCause::requested_failover) == w.s.id);
    CHECK(id("e8", "west", SwitchCause::primary_gone) != w.s.id);
    CHECK(id("e7", "eu", SwitchCause::primary_gone) != w.s.id);
    CHECK(id("e-", "west", SwitchCause::primary_gone) != w.s.id);
}

TEST_CASE("L16: with data at risk nothing is promoted before a person has seen what it would cost") {
    Walkthrough w({Step::fence, Step::promote});
    w.guard = "data at risk: 12s behind";
    w.go();
    CHECK(w.s.step == SwitchStep::awaiting_approval);
    CHECK(w.asked.empty());
    CHECK(w.s.failure == "data at risk: 12s behind");
    CHECK(w.said.back().severity == Severity::critical);
    w.approved();
    CHECK(w.order() == Steps{Step::fence});
    w.hook(Step::fence, true);
    CHECK(w.order() == Steps{Step::fence, Step::promote});
}

TEST_CASE("L16: data found at risk after the fence holds the promotion") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    w.guard = "data at risk";
    w.hook(Step::fence, true);
    CHECK(w.order() == Steps{Step::fence});
    CHECK(w.s.step == SwitchStep::awaiting_approval);
    w.approved();
    CHECK(w.order() == Steps{Step::fence, Step::promote});
}

TEST_CASE("the role turning up elsewhere leaves a switch nothing to do") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    w.role_elsewhere = true;
    w.hook(Step::fence, true);
    CHECK(w.ended);
    CHECK(w.order() == Steps{Step::fence});
}

TEST_CASE("somebody else promoted the target: the switch runs no promotion and ends with after_failover") {
    Walkthrough w({Step::fence, Step::promote, Step::after_failover});
    w.go();
    w.hook(Step::fence, false, "exit status 1");
    REQUIRE(w.s.step == SwitchStep::awaiting_approval);
    w.role_arrived = true;
    w.go();
    CHECK(w.order() == Steps{Step::fence, Step::after_failover});
    w.hook(Step::after_failover, true);
    CHECK(w.ended);
}

TEST_CASE("a requested failback runs its own hook where there is one, else the failover's") {
    Walkthrough own({Step::fence, Step::promote, Step::failback}, SwitchCause::requested_failback);
    own.go();
    CHECK(own.order() == Steps{Step::failback});
    own.hook(Step::failback, true);
    CHECK(own.s.step == SwitchStep::await_role);
    Walkthrough other({Step::fence, Step::promote}, SwitchCause::requested_failback);
    other.go();
    CHECK(other.order() == Steps{Step::fence});
}

TEST_CASE("L17: a step interrupted by a restart is run again with its id") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    w.hook_running = false; // a new process knows of no running hook
    w.go();
    REQUIRE(w.asked.size() == 2);
    CHECK(w.asked[1].step == Step::fence);
    CHECK(w.asked[0].switch_id == w.asked[1].switch_id);
}

TEST_CASE("a hook's end that belongs to another switch or step is not taken for this one's") {
    Walkthrough w({Step::fence, Step::promote});
    w.go();
    auto before = w.s.step;
    w.take(hook_ended(w.s, w.hook_running, {"shop.test", "another", Step::fence, true, ""}, w.view()));
    w.take(hook_ended(w.s, w.hook_running, {"shop.test", w.s.id, Step::promote, true, ""}, w.view()));
    CHECK(w.s.step == before);
    CHECK(w.hook_running);
}
