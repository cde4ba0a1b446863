// H11: after a reload what did not change keeps its history, and what did begins a new one.
#include "tests/unit/policies/builders.hpp"

#include <set>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model two_services() {
    Model m = world(2);
    serve(m, "a", Weighted{});
    serve(m, "b", in_order(2)).failback = Service::Failback::manual;
    return m;
}
void change_check(Model& m, CheckIndex c, std::string path) {
    Check check = *m.checks[c];
    std::get<HttpCheck>(check.kind).path = std::move(path);
    m.checks[c] = std::make_shared<Check>(check);
}
std::set<MemberId> ids(const Desk& d) {
    std::set<MemberId> list;
    for (const Member& m : d.engine.members()) list.insert(m.id);
    return list;
}

} // namespace

TEST_CASE("H11: a reload of the same configuration changes nothing and says nothing") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(5);
    auto before = ids(d);
    d.forget();
    d.reload(two_services());
    CHECK(ids(d) == before);
    CHECK(d.transitions.empty());
    CHECK(d.answer(0) == "west");
    CHECK(d.answer(1) == "west");
    d.beats(3);
    CHECK(d.transitions.empty());
}

TEST_CASE("H11: an unchanged member keeps its row of failures across a reload") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(2);
    Model changed = two_services();
    changed.services[1].ttl = {5s, 5s};
    d.reload(std::move(changed));
    CHECK(d.answer(0) == "east+west");
    CHECK(d.engine.plan(1).ttl == 5);
    d.beats(1);
    CHECK(d.answer(0) == "west");
}

TEST_CASE("H11: a changed parameter begins a new history under a new id; the first pass is UP") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(4);
    auto before = ids(d);
    Model changed = two_services();
    change_check(changed, web, "/ready");
    d.reload(std::move(changed));
    for (MemberId id : ids(d)) CHECK_FALSE(before.contains(id));
    d.everywhere(Sight::pass);
    d.beats(1);
    CHECK(d.answer(0) == "east+west");
}

TEST_CASE("an observation of a target that is gone is not taken for another's") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    MemberId old = d.member("web", "east");
    Model changed = two_services();
    change_check(changed, web, "/ready");
    d.reload(std::move(changed));
    d.beats(1);
    for (int i = 0; i < 5; ++i) {
        Observation o = refused(d.now.mono);
        o.member = old;
        d.observe(o);
    }
    Observation never = refused(d.now.mono);
    never.member = 9999;
    d.observe(never);
    CHECK(d.answer(0) == "east+west");
}

TEST_CASE("a latch outlives a reload, also one that adds a datacenter in front") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(4);
    d.now_sees("east", Sight::pass);
    d.beats(20);
    REQUIRE(d.answer(1) == "west");
    Model changed = two_services();
    changed.datacenters.insert(changed.datacenters.begin(), Datacenter{.name = "aaa"});
    for (Service& s : changed.services) {
        for (Endpoint& e : s.endpoints) ++e.datacenter;
        s.endpoints.insert(s.endpoints.begin(), {.datacenter = 0, .addresses = {ip("10.9.0.1")}});
    }
    std::get<ActivePassive>(changed.services[1].policy).order = {0, 1, 2};
    d.reload(std::move(changed));
    CHECK(d.answer(1) == "west");
    d.now_sees("aaa", Sight::pass);
    d.beats(2);
    CHECK(d.answer(1) == "west"); // manual
}

TEST_CASE("a service that is removed is gone, and a new one starts like any") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    Model changed = world(2);
    serve(changed, "b", in_order(2));
    serve(changed, "c", Weighted{});
    d.reload(std::move(changed));
    CHECK(d.answer(0) == "east");
    CHECK(d.answer(1) == "SERVFAIL");
    d.beats(1);
    CHECK(d.answer(1) == "east+west");
}

TEST_CASE("a running switch and what is followed outlive a reload") {
    auto model = [] {
        Model m = world(2);
        Service& s = follow_service(m);
        s.failover = Service::Failover::automatic;
        add_hooks(s, {Hook::Step::fence, Hook::Step::promote});
        return m;
    };
    Desk d(model());
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3, 1));
    d.now_sees("west", "db", Sight::pass, standby(3, 1));
    d.beats(4);
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    REQUIRE(d.hooks.size() == 1);
    d.reload(model());
    CHECK(d.hooks.size() == 1); // not asked twice
    CHECK(d.answer() == "east");
    d.hook_ends(true);
    CHECK(d.hooks.back().step == Hook::Step::promote);
}

TEST_CASE("overrides outlive a reload") {
    Desk d(two_services());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.command(SetOverride{{"", "east"}, "works"});
    d.reload(two_services());
    CHECK(d.engine.overrides().size() == 1);
    CHECK(d.answer(0) == "west");
}

TEST_CASE("P10: clients that are told apart more finely go on from where they went") {
    auto model = [](bool finer) {
        Model m = world(2);
        serve(m, "a", Latency{});
        m.clients.classes.push_back({.rtt_ms = {10.0, 30.0}});
        m.clients.networks = {{Prefix::parse("10.0.0.0/8").value(), 1}};
        if (finer) {
            m.clients.classes.push_back({.rtt_ms = {20.0, 12.0}}); // a gain of 8 ms: below the margin
            m.clients.classes.push_back({.rtt_ms = {40.0, 12.0}});
            m.clients.networks.push_back({Prefix::parse("10.1.0.0/16").value(), 2});
            m.clients.networks.push_back({Prefix::parse("10.2.0.0/16").value(), 3});
        }
        return m;
    };
    Desk d(model(false));
    d.everywhere(Sight::pass);
    d.beats(2);
    d.reload(model(true));
    const AnswerPlan& plan = d.engine.plan(0);
    REQUIRE(plan.by_client.size() == 4);
    auto site = [&](std::size_t k) { return plan.choices[plan.by_client[k]].endpoint; };
    CHECK(site(1) == 0);
    CHECK(site(2) == 0); // new to us, and where its clients went
    CHECK(site(3) == 1);
}
