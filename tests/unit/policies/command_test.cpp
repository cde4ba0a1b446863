// L19: what operators may ask, what is refused, and with which words.
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Two weighted services and one that follows its database, all fit, the primary in east.
Model three_services() {
    Model m = world(2);
    serve(m, "a", Weighted{});
    serve(m, "b", Weighted{});
    add_hooks(follow_service(m, "shop"), {Hook::Step::fence, Hook::Step::promote});
    return m;
}
Desk all_well(Model m = three_services()) {
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3, 1000));
    d.now_sees("west", "db", Sight::pass, standby(3, 1000));
    d.beats(3);
    d.forget();
    return d;
}

constexpr ServiceIndex a = 0, shop = 2;

} // namespace

TEST_CASE("a drain needs a scope that exists, a reason and a time") {
    Desk d = all_well();
    struct Row {
        SetOverride drain;
        const char* message;
    };
    for (const Row& r :
         {Row{{{"", ""}, "why"}, "name a datacenter"}, Row{{{"", "mars"}, "why"}, "no datacenter mars"},
          Row{{{"x.test", ""}, "why"}, "no service x.test"}, Row{{{"a.test", "east"}, ""}, "reason"},
          Row{{{"a.test", "east"}, "why", 0s}, "time"}}) {
        auto result = d.command(r.drain);
        CHECK_FALSE(result.accepted);
        CHECK_MESSAGE(has(result.message, r.message), result.message);
    }
    CHECK(d.engine.overrides().empty());
    CHECK(d.transitions.empty());
}

TEST_CASE("L19: a drain takes the site out, is told, has an expiry, and ends by undrain") {
    Desk d = all_well();
    auto result = d.command(SetOverride{{"A.test.", "east"}, "works"}); // any spelling of the name
    REQUIRE(result.accepted);
    CHECK(d.answer(a) == "west");
    CHECK(d.answer(1) == "east+west");
    REQUIRE(d.engine.overrides().size() == 1);
    const Override& o = d.engine.overrides()[0];
    CHECK(o.scope == Scope{"a.test", "east"});
    CHECK(o.operator_name == "ann");
    CHECK(o.expires == d.now.wall + 24h);
    CHECK(has(d.last(Change::override_set).reason, "works"));
    CHECK(d.said(Change::plan_changed) == 1);

    CHECK_FALSE(d.command(EndOverride{{"a.test", ""}}).accepted); // another scope
    CHECK(d.command(EndOverride{{"a.test", "east"}}).accepted);
    CHECK(d.answer(a) == "east+west");
    CHECK(d.said(Change::override_ended) == 1);
}

TEST_CASE("a second drain of the same scope replaces the first") {
    Desk d = all_well();
    d.command(SetOverride{{"a.test", "east"}, "one", 1h});
    d.command(SetOverride{{"a.test", "east"}, "two", 2h});
    REQUIRE(d.engine.overrides().size() == 1);
    CHECK(d.engine.overrides()[0].reason == "two");
}

TEST_CASE("L19: a drain expires, and that is told, whether time or a look comes first") {
    for (bool look_first : {false, true}) {
        Desk d = all_well();
        d.command(SetOverride{{"a.test", "east"}, "works", 10s});
        if (look_first) {
            Observation o = passed(d.now.mono + 11s);
            o.member = d.member("web", "east");
            d.now = at(o.ended - dawn);
            d.observe(o);
        } else d.pass_time(10s);
        CHECK(d.said(Change::override_expired) == 1);
        CHECK(d.engine.overrides().empty());
        CHECK(d.answer(a) == "east+west");
    }
}

TEST_CASE("L19: what would take a last usable site is refused whole, naming the services, unless forced") {
    Desk d = all_well();
    CHECK(d.command(SetOverride{{"a.test", "west"}, "works"}).accepted);
    auto result = d.command(SetOverride{{"", "east"}, "works"});
    CHECK_FALSE(result.accepted);
    CHECK(result.details == std::vector<std::string>{"a.test", "shop.test"});
    CHECK(has(result.message, "--force"));
    CHECK(d.answer(1) == "east+west"); // not even those it would not have emptied
    CHECK(d.engine.overrides().size() == 1);

    d.forget();
    CHECK(d.command(SetOverride{{"", "east"}, "works", 24h, true}).accepted);
    CHECK(d.answer(a) == "SERVFAIL");
    CHECK(d.answer(1) == "west");
    CHECK(d.answer(shop) == "SERVFAIL"); // L14: a followed site excluded by force
    CHECK(d.last(Change::all_down).severity == Severity::critical);
    CHECK(d.alarmed("all_excluded"));
}

TEST_CASE("L19: before a primary is known, every site is the last one") {
    Desk d(three_services());
    auto result = d.command(SetOverride{{"shop.test", ""}, "works"});
    CHECK_FALSE(result.accepted);
    CHECK(result.details == std::vector<std::string>{"shop.test"});
}

TEST_CASE("L19: the last fit site is the last usable one, even if a failing one is left") {
    Desk d = all_well();
    d.now_sees("west", Sight::refuse);
    d.beats(3);
    CHECK_FALSE(d.command(SetOverride{{"a.test", "east"}, "works"}).accepted);
    CHECK(d.command(SetOverride{{"a.test", "west"}, "works"}).accepted); // it is down anyhow
}

TEST_CASE("L19: the end of a force-up that a service rests on is refused, and done by force") {
    Desk d = all_well();
    d.now_sees("west", Sight::refuse);
    d.beats(3);
    SetOverride up{{"a.test", "west"}, "it works for us"};
    up.kind = Override::Kind::force_up;
    REQUIRE(d.command(up).accepted);
    REQUIRE(d.command(SetOverride{{"a.test", "east"}, "works"}).accepted);
    REQUIRE(d.answer(a) == "west");
    EndOverride off{{"a.test", "west"}, Override::Kind::force_up};
    auto result = d.command(off);
    CHECK_FALSE(result.accepted);
    CHECK(result.details == std::vector<std::string>{"a.test"});
    CHECK(d.answer(a) == "west");
    off.force = true;
    CHECK(d.command(off).accepted);
    CHECK(d.engine.overrides().size() == 1);
}

TEST_CASE("a failover names a service and a site that there are, and one that could take over") {
    Desk d = all_well();
    struct Row {
        Failover failover;
        const char* message;
    };
    for (const Row& r :
         {Row{{"x.test", "west"}, "no service"}, Row{{"shop.test", "mars"}, "no endpoint in mars"},
          Row{{"a.test", "west"}, "not active/passive"}, Row{{"shop.test", "east"}, "already"}}) {
        auto result = d.command(r.failover);
        CHECK_FALSE(result.accepted);
        CHECK_MESSAGE(has(result.message, r.message), result.message);
    }
    d.now_sees("west", "db", Sight::refuse);
    d.beats(3);
    CHECK(has(d.command(Failover{"shop.test", "west"}).message, "cannot take over"));
    CHECK(d.said(Change::switch_started) == 0);
}

TEST_CASE("without a promote hook the operator is told that traffic follows") {
    Model m = three_services();
    m.services[shop].hooks.clear();
    Desk d = all_well(std::move(m));
    auto result = d.command(Failover{"shop.test", "west"});
    CHECK_FALSE(result.accepted);
    CHECK(has(result.message, "by hand"));
}

TEST_CASE("L14: a failover of a following service runs the hooks and waits for the role") {
    Desk d = all_well();
    auto result = d.command(Failover{"shop.test", "west"});
    REQUIRE(result.accepted);
    CHECK_FALSE(d.services.empty()); // L17: durable from its first step
    CHECK(d.services.back().running.has_value());
    CHECK(d.hooks.back().step == Hook::Step::fence);
    CHECK_FALSE(d.command(Failover{"shop.test", "west"}).accepted); // one at a time
    d.now_sees("east", "db", Sight::refuse);                        // the fence has stopped it
    d.hook_ends(true);
    CHECK(d.hooks.back().step == Hook::Step::fence); // the old primary is looked at once more first
    d.beats(3);
    CHECK(d.hooks.back().step == Hook::Step::promote);
    d.hook_ends(true);
    CHECK(d.answer(shop) == "east");
    d.now_sees("west", "db", Sight::pass, primary(4, 1000));
    d.beats(4);
    CHECK(d.answer(shop) == "west");
    CHECK(d.said(Change::switch_done) == 1);
    CHECK_FALSE(d.engine.report(d.now).services[shop].running.has_value());
}

TEST_CASE("L17: a fence that says it worked while the primary still answers promotes nothing") {
    Desk d = all_well();
    REQUIRE(d.command(Failover{"shop.test", "west"}).accepted);
    d.hook_ends(true);
    d.beats(3);
    CHECK(d.hooks.back().step == Hook::Step::fence);
    CHECK(d.engine.report(d.now).services[shop].running->step == SwitchStep::awaiting_approval);
    CHECK(d.answer(shop) == "east");
}

TEST_CASE("L17: a failover whose first step is a hook is durable before the hook has ended") {
    Model m = three_services();
    add_hooks(m.services[shop], {Hook::Step::prepare});
    Desk d = all_well(std::move(m));
    d.command(Failover{"shop.test", "west"});
    REQUIRE_FALSE(d.services.empty());
    CHECK(d.services.back().running->step == SwitchStep::prepare);
}

TEST_CASE("L10: failover and failback of an ordered service are accepted where it may stay, refused where it "
          "returns") {
    auto model = [](Service::Failback failback) {
        Model m = world(2);
        serve(m, "www", in_order(2)).failback = failback;
        return m;
    };
    Desk d(model(Service::Failback::manual));
    d.everywhere(Sight::pass);
    d.beats(1);
    CHECK(d.command(Failover{"www.test", "west"}).accepted);
    CHECK(d.answer() == "west");
    d.beats(500);
    CHECK(d.answer() == "west");
    CHECK(d.command(Failback{"www.test"}).accepted);
    CHECK(d.answer() == "east");
    CHECK(has(d.command(Failback{"www.test"}).message, "already"));

    Desk returns(model(Service::Failback::automatic));
    returns.everywhere(Sight::pass);
    returns.beats(1);
    CHECK(has(returns.command(Failover{"www.test", "west"}).message, "drain"));
}

TEST_CASE("failback of what is not active/passive is refused") {
    Desk d = all_well();
    CHECK(has(d.command(Failback{"a.test"}).message, "not active/passive"));
    CHECK(has(d.command(Failback{"x.test"}).message, "no service"));
}

TEST_CASE("approve names a switch that waits") {
    Desk d = all_well();
    CHECK(has(d.command(Approve{"nothing"}).message, "no switch"));
    d.command(Failover{"shop.test", "west"});
    CHECK(has(d.command(Approve{d.hooks.back().switch_id}).message, "waits for no approval"));
    d.hook_ends(false, "exit status 1");
    CHECK(d.alarmed("approval"));
    auto result = d.command(Approve{d.hooks.back().switch_id});
    CHECK(result.accepted);
    CHECK(d.hooks.back().step == Hook::Step::promote);
    CHECK_FALSE(d.alarmed("approval"));
}

TEST_CASE("L13: a claim that is not believed is taken with --accept-claim") {
    Desk d = all_well();
    d.now_sees("east", "db", Sight::refuse);
    d.now_sees("west", "db", Sight::pass, primary(2, 1000));
    d.beats(4);
    REQUIRE(d.answer(shop) == "east");
    REQUIRE(d.alarmed("stale_claim"));
    CHECK_FALSE(d.command(Failover{"shop.test", "east", true}).accepted); // claims nothing
    CHECK(d.command(Failover{"shop.test", "west", true}).accepted);
    CHECK(d.answer(shop) == "west");
    CHECK_FALSE(d.alarmed("stale_claim"));
    CHECK(d.services.back().followed->epoch == 2);
}
