// P8, P14: what-if asks the real decision, and reckons the load of what is left.
#include "policies/what_if.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;
using enum WhatIf::Fate;

namespace {

Model two_kinds(bool automatic = true) {
    Model m = world(3);
    m.datacenters[0].capacity = 1000;
    m.datacenters[1].capacity = 600;
    m.datacenters[2].capacity = 1000;
    Service& shop = follow_service(m, "shop");
    shop.failover = automatic ? Service::Failover::automatic : Service::Failover::approval;
    add_hooks(shop, {Hook::Step::fence, Hook::Step::promote});
    serve(m, "www", Weighted{});
    return m;
}

WhatIf ask(const Model& m, WhatIfQuestion q) {
    const Engine engine = assumed_well(std::make_shared<const Model>(m), q.down, at(0s));
    return what_if(engine, q, at(1min));
}

double share(const WhatIf::Shares& shares, const std::string& site) {
    for (const auto& [name, part] : shares)
        if (name == site) return part;
    return 0;
}

const WhatIf::ServiceLine& line(const WhatIf& w, const std::string& name) {
    for (const auto& s : w.services)
        if (s.name == name + ".test") return s;
    throw std::out_of_range(name);
}

} // namespace

TEST_CASE("offline all is assumed to work: primaries are at the first of their order, nothing moves yet") {
    const Model m = two_kinds();
    const Engine engine = assumed_well(std::make_shared<const Model>(m), {}, at(0s));
    const Report r = engine.report(at(1min));
    CHECK(r.services[0].active == "east");
    CHECK(r.services[0].state == "serving");
    CHECK(r.services[1].endpoints[2].share == doctest::Approx(1 / 3.0));
}

TEST_CASE("P8: a spread share goes to those that are left, and the load is set against the capacity") {
    const auto w = ask(two_kinds(), {.lose = {"eu"}, .loads = {{"east", 700}, {"west", 500}, {"eu", 400}}});
    CHECK(line(w, "www").fate == moves);
    CHECK(share(line(w, "www").before, "eu") == doctest::Approx(1 / 3.0));
    CHECK(share(line(w, "www").after, "eu") == 0);
    CHECK(share(line(w, "www").after, "west") == doctest::Approx(0.5));
    CHECK(line(w, "shop").fate == stays);
    CHECK(w.sites[0].load_after == doctest::Approx(900)); // half of eu's each
    CHECK(w.sites[1].load_after == doctest::Approx(700));
    CHECK(w.sites[2].load_after == doctest::Approx(0).epsilon(0.001));
    REQUIRE(w.warnings.size() == 1);
    CHECK(w.warnings[0] == "west: 700 of 600, 117 % of its capacity");
}

TEST_CASE(
    "what follows a primary moves by its runbook, or waits for a person, and then its load is nobody's") {
    const WhatIfQuestion q{.lose = {"east"}, .loads = {{"east", 600}, {"west", 100}, {"eu", 100}}};
    const auto by_itself = ask(two_kinds(), q);
    CHECK(line(by_itself, "shop").fate == runbook);
    CHECK(line(by_itself, "shop").after.size() == 1);
    CHECK(line(by_itself, "www").fate == moves);
    CHECK(by_itself.sites[0].load_after == doctest::Approx(0).epsilon(0.001));
    double sum = 0;
    for (const auto& s : by_itself.sites) sum += s.load_after.value_or(0);
    CHECK(sum == doctest::Approx(800));

    const auto by_hand = ask(two_kinds(false), q);
    CHECK(line(by_hand, "shop").fate == held);
    CHECK(line(by_hand, "shop").why.find("approval") != std::string::npos);
    // shop has all of its share in east, www a third: three quarters of the load stay there, unserved
    CHECK(by_hand.sites[0].load_after == doctest::Approx(450));
}

TEST_CASE("a lost site bears nothing, not a rounding's worth of it, whatever it bore") {
    for (double load = 10; load <= 1000; load += 9.7) {
        CAPTURE(load);
        const auto w = ask(two_kinds(), {.lose = {"east"}, .loads = {{"east", load}, {"west", 100}}});
        CHECK(*w.sites[0].load_after == 0);
    }
}

TEST_CASE("two sites at once, what is down already, and nothing left at all") {
    const auto two = ask(two_kinds(), {.lose = {"west", "eu"}});
    CHECK(share(line(two, "www").after, "east") == doctest::Approx(1));
    CHECK_FALSE(two.sites[0].load_after); // nobody has said a load: nothing is made up
    CHECK(two.warnings.empty());
    const auto down = ask(two_kinds(), {.lose = {"west"}, .down = {{"eu", "www.test"}}});
    CHECK(share(line(down, "www").before, "eu") == 0);
    CHECK(share(line(down, "www").after, "east") == doctest::Approx(1));
    const auto all = ask(two_kinds(), {.lose = {"east", "west", "eu"}});
    CHECK(line(all, "www").fate == nowhere);
}

TEST_CASE("the engine that is asked stays as it was") {
    const Engine engine = assumed_well(std::make_shared<const Model>(two_kinds()), {}, at(0s));
    const auto plan = engine.plan(1);
    what_if(engine, {.lose = {"east"}}, at(1min));
    CHECK(engine.plan(1) == plan);
    CHECK(engine.report(at(1min)).services[0].active == "east");
}

TEST_CASE("an approval tells lag and data at risk; asked for alone it approves nothing") {
    Engine engine = assumed_well(std::make_shared<const Model>(two_kinds(false)), {}, at(0s));
    for (Duration t = 61s; t < 90s; t += 1s) {
        std::vector<Observation> batch;
        for (const Member& m : engine.members()) {
            const bool lost = m.spec.datacenter == "east";
            Observation o = lost ? refused(at(t).mono) : passed(at(t).mono);
            o.member = m.id;
            if (!lost && m.spec.check->name == "db") {
                o.facts = standby(1);
                o.facts.system = "assumed";
                o.facts.lag = 3s;
            }
            batch.push_back(std::move(o));
        }
        engine.observe(batch, at(t));
    }
    const auto running = engine.report(at(90s)).services[0].running;
    REQUIRE(running);
    const auto asked = engine.command({Approve{running->id, true}, "ana"}, at(90s)).result;
    CHECK(asked.accepted);
    REQUIRE(asked.details.size() == 2);
    CHECK(asked.details[0] == "lag of west: 3s");
    CHECK(asked.details[1].starts_with("data: "));
    CHECK(engine.report(at(90s)).services[0].running->step == SwitchStep::awaiting_approval);
    const auto approved = engine.command({Approve{running->id}, "ana"}, at(90s)).result;
    CHECK(approved.accepted);
    CHECK(approved.details.size() == 2);
    CHECK(engine.report(at(90s)).services[0].running->step != SwitchStep::awaiting_approval);
}
