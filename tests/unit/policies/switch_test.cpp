// L13-L17: a service that follows its database, from the first claim to the last step of the runbook.
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model following(Service::Failover failover = Service::Failover::automatic, std::size_t sites = 2) {
    Model m = world(sites);
    Service& s = follow_service(m);
    s.failover = failover;
    add_hooks(s, {Hook::Step::fence, Hook::Step::promote});
    return m;
}
/// The primary in east writes `position`, the standbys have received it.
void database(Desk& d, std::uint64_t position = 1000) {
    d.now_sees("east", "db", Sight::pass, primary(3, position));
    d.now_sees("west", "db", Sight::pass, standby(3, position));
    d.now_sees("eu", "db", Sight::pass, standby(3, position));
}
Desk well(Model m = following()) {
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    database(d);
    d.beats(4);
    REQUIRE(d.answer() == "east");
    d.forget();
    return d;
}

} // namespace

TEST_CASE("L14: a primary that is gone is held and told; the answer stays whatever is fit") {
    Model m = following();
    m.services[0].hooks.clear();
    Desk d = well(std::move(m));
    d.now_sees("east", Sight::refuse);
    d.beats(20);
    CHECK(d.answer() == "east");
    CHECK(d.last(Change::no_primary).severity == Severity::warning);
    CHECK(d.said(Change::no_primary_critical) == 0);
    CHECK(d.alarmed("no_primary"));
    CHECK(d.engine.report(d.now).services[0].state == "held: no primary");
    d.beats(20);
    CHECK(d.said(Change::no_primary_critical) == 1);
    d.beats(1800);
    CHECK(d.answer() == "east"); // without limit

    d.now_sees("west", "db", Sight::pass, primary(4));
    d.beats(1);
    CHECK(d.answer() == "east");
    d.beats(1); // the re-test
    CHECK(d.answer() == "west");
    CHECK(d.said(Change::no_primary_over) == 1);
    CHECK_FALSE(d.alarmed("no_primary"));
}

TEST_CASE("D5: an ordinary switchover of 20 s is one move and no empty answer") {
    Desk d = well();
    d.now_sees("east", "db", Sight::pass, standby(3, 1000));
    d.beats(10);
    CHECK(d.answer() == "east");
    CHECK(d.hooks.empty()); // not raced by the runbook
    d.now_sees("west", "db", Sight::pass, primary(4, 1000));
    d.beats(5);
    CHECK(d.answer() == "west");
    CHECK(d.said(Change::plan_changed) == 1);
    CHECK(d.said(Change::two_primaries) == 0);
}

TEST_CASE("D4: two primaries move nothing, are critical at once, and end with one of them") {
    Desk d = well();
    d.now_sees("west", "db", Sight::pass, primary(3, 1000));
    d.beats(2);
    CHECK(d.said(Change::two_primaries) == 1);
    CHECK(d.last(Change::two_primaries).severity == Severity::critical);
    CHECK(d.alarmed("two_primaries"));
    d.beats(500);
    CHECK(d.answer() == "east");
    CHECK(d.said(Change::plan_changed) == 0);
    CHECK(d.said(Change::two_primaries) == 1);
    d.now_sees("west", "db", Sight::pass, standby(3, 1000));
    d.beats(1);
    CHECK(d.said(Change::two_primaries_over) == 1);
    CHECK(d.answer() == "east");
}

TEST_CASE("D3: a claim below the followed epoch is never followed, even as the only one") {
    Desk d = well();
    d.now_sees("east", Sight::refuse);
    d.now_sees("west", "db", Sight::pass, primary(2, 1000));
    d.beats(200);
    CHECK(d.answer() == "east");
    CHECK(d.said(Change::stale_claim) == 1);
    CHECK(d.alarmed("stale_claim"));
}

TEST_CASE("L14: what on_no_primary says applies after no_primary_hold, not before") {
    struct Row {
        Service::OnNoPrimary mode;
        const char* after;
    };
    for (const Row& r : {Row{Service::OnNoPrimary::hold, "east"}, Row{Service::OnNoPrimary::standby, "west"},
                         Row{Service::OnNoPrimary::on_all_down, "NODATA"}}) {
        Model m = following();
        m.services[0].hooks.clear();
        m.services[0].on_no_primary = r.mode;
        m.services[0].on_all_down.mode = OnAllDown::Mode::nodata;
        Desk d = well(std::move(m));
        d.now_sees("east", Sight::refuse);
        d.beats(30);
        CHECK(d.answer() == "east");
        d.beats(10);
        CHECK(d.answer() == r.after);
    }
}

TEST_CASE("L15: automatic: no role for fall results starts the runbook, to the standby with the least lag") {
    Model m = following(Service::Failover::automatic, 3);
    Desk d = well(std::move(m));
    for (std::uint64_t p = 1100; p <= 1300; p += 100) { // west falls behind
        database(d, p);
        d.now_sees("west", "db", Sight::pass, standby(3, 1000));
        d.beats(1);
    }
    d.forget();
    d.now_sees("east", Sight::refuse);
    d.beats(2);
    CHECK(d.hooks.empty());
    d.beats(1);
    REQUIRE(d.hooks.size() == 1);
    CHECK(d.hooks[0].step == Hook::Step::fence);
    CHECK(d.hooks[0].to == "eu");
    CHECK(d.hooks[0].lag == Duration{0s});
    CHECK(d.services.back().running->to == "eu");
    CHECK(d.answer() == "east");
    d.hook_ends(true);
    CHECK(d.hooks.back().step == Hook::Step::promote);
    d.hook_ends(true);
    CHECK(d.answer() == "east"); // D7: moved by the role alone
    d.now_sees("eu", "db", Sight::pass, primary(4, 1300));
    d.beats(3);
    CHECK(d.answer() == "eu");
    CHECK(d.said(Change::switch_done) == 1);
    CHECK(d.hooks.size() == 2);
}

TEST_CASE("L15: silence of the whole site starts it too, once silence is believed") {
    Desk d = well();
    d.now_sees("east", Sight::silence);
    d.beats(6);
    REQUIRE_FALSE(d.hooks.empty());
    CHECK(d.hooks[0].to == "west");
}

TEST_CASE("L15: while the followed site still reports a role it starts only at no_primary_hold") {
    Desk d = well();
    d.now_sees("east", "db", Sight::pass, standby(3, 1000));
    d.beats(29);
    CHECK(d.hooks.empty());
    d.beats(3);
    CHECK(d.hooks.size() == 1);
}

TEST_CASE("L12: with approval it waits for a person, and an approval lets it run") {
    Desk d = well(following(Service::Failover::approval));
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    CHECK(d.hooks.empty());
    CHECK(d.alarmed("approval"));
    REQUIRE(d.said(Change::switch_waiting) == 1);
    d.beats(100);
    CHECK(d.said(Change::switch_waiting) == 1);
    CHECK(d.command(Approve{d.last(Change::switch_waiting).subject}).accepted);
    REQUIRE(d.hooks.size() == 1);
    CHECK(d.hooks[0].step == Hook::Step::fence);
}

TEST_CASE("L17: the primary back before a fence began ends the switch and its approval as obsolete") {
    Desk d = well(following(Service::Failover::approval));
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    const std::string id = d.last(Change::switch_waiting).subject;
    d.now_sees("east", Sight::pass);
    database(d);
    d.beats(20);
    CHECK(d.said(Change::switch_obsolete) == 1);
    CHECK_FALSE(d.command(Approve{id}).accepted);
    CHECK(d.answer() == "east");
}

TEST_CASE("L17: a restart goes on with the switch, the step under way is run again with its id") {
    Desk first = well();
    first.now_sees("east", Sight::refuse);
    first.beats(3);
    first.hook_ends(true);
    REQUIRE(first.hooks.back().step == Hook::Step::promote);
    Desk second(following(), first.stored(), first.now.mono - dawn + 5s);
    second.now_sees("east", Sight::refuse);
    second.now_sees("west", "web", Sight::pass);
    second.now_sees("west", "db", Sight::pass, standby(3, 1000));
    second.beats(3);
    REQUIRE(second.hooks.size() == 1);
    CHECK(second.hooks[0].step == Hook::Step::promote);
    CHECK(second.hooks[0].switch_id == first.hooks.back().switch_id);
}

TEST_CASE("D6: lag above max_lag holds the promotion for an approval that shows the data at risk") {
    Desk d = well();
    for (std::uint64_t p = 1100; p <= 2000; p += 100) { // 18 s behind, max_lag is 10 s
        database(d, p);
        d.now_sees("west", "db", Sight::pass, standby(3, 1000));
        d.beats(1);
    }
    d.now_sees("east", Sight::refuse);
    d.beats(10);
    CHECK(d.hooks.empty());
    REQUIRE(d.said(Change::switch_waiting) == 1);
    CHECK(d.last(Change::switch_waiting).reason.find("data at risk") != std::string::npos);
    CHECK(d.command(Approve{d.last(Change::switch_waiting).subject}).accepted);
    CHECK(d.hooks.size() == 1);
}

TEST_CASE("D6: an idle primary does not look like lag") {
    Desk d = well();
    d.beats(1000);
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    CHECK(d.hooks.size() == 1);
}

TEST_CASE("L16: without max_lag nothing is promoted automatically") {
    Model m = following();
    Check check = *m.checks[db];
    check.requirements.max_lag.reset();
    m.checks[db] = std::make_shared<Check>(check);
    Desk d = well(std::move(m));
    d.now_sees("east", Sight::refuse);
    d.beats(10);
    CHECK(d.hooks.empty());
    CHECK(d.alarmed("approval"));
}

TEST_CASE("L14: the application down at the primary is critical at once; it moves by itself only behind a "
          "required fence") {
    SUBCASE("automatic, fence required") {
        Desk d = well();
        d.now_sees("east", "web", Sight::refuse);
        d.beats(3);
        CHECK(d.last(Change::partial_failure).severity == Severity::critical);
        CHECK(d.hooks.size() == 1);
    }
    SUBCASE("automatic, the fence is not required") {
        Model m = following();
        m.services[0].hooks[Hook::Step::fence].required = false;
        Desk d = well(std::move(m));
        d.now_sees("east", "web", Sight::refuse);
        d.beats(10);
        CHECK(d.said(Change::partial_failure) == 1);
        CHECK(d.hooks.empty());
        CHECK(d.alarmed("approval"));
    }
    SUBCASE("no runbook") {
        Model m = following();
        m.services[0].hooks.clear();
        Desk d = well(std::move(m));
        d.now_sees("east", "web", Sight::refuse);
        d.beats(10);
        CHECK(d.alarmed("partial_failure"));
        CHECK(d.answer() == "east");
    }
}

TEST_CASE(
    "under self-doubt no primary is missed and no runbook starts; the report can be read all the while") {
    Desk d = well();
    d.everywhere(Sight::silence);
    d.beats(100);
    CHECK(d.said(Change::self_doubt) == 1);
    CHECK(d.said(Change::no_primary) == 0);
    CHECK(d.hooks.empty());
    CHECK(d.answer() == "east");
}

TEST_CASE("a primary missed before self-doubt stays missed during it, and is reported") {
    Model m = following();
    m.services[0].hooks.clear();
    m.datacenters.push_back({.name = "eu"});
    m.services[0].endpoints.push_back({.datacenter = 2, .addresses = {ip("10.3.0.1")}});
    Desk d = well(std::move(m));
    d.now_sees("east", Sight::refuse);
    d.beats(10);
    REQUIRE(d.alarmed("no_primary"));
    d.everywhere(Sight::silence);
    d.beats(20);
    CHECK(d.alarmed("self_doubt"));
    CHECK(d.alarmed("no_primary"));
}

TEST_CASE("S6: a site whose database is a standby is not followed, whatever its web tier says") {
    Desk d = well();
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    CHECK(d.engine.report(d.now).services[0].endpoints[1].application == Readiness::ready);
    CHECK(d.answer() == "east");
}

TEST_CASE("L16: a lag that the product reckons itself guards the promotion as positions do") {
    for (const bool current : {true, false}) {
        CAPTURE(current);
        Model m = following();
        Check own = *m.checks[db];
        own.kind = HttpCheck{.facts = {{.fact = FactRule::Fact::role, .at = "/role"},
                                       {.fact = FactRule::Fact::lag, .at = "/lag"}}};
        m.checks[db] = std::make_shared<const Check>(own);
        Desk d(std::move(m));
        d.everywhere(Sight::pass);
        d.now_sees("east", "db", Sight::pass, primary(3));
        Facts behind = standby(3);
        behind.lag = current ? 1s : 11s; // max_lag is 10s
        d.now_sees("west", "db", Sight::pass, behind);
        d.beats(4);
        REQUIRE(d.answer() == "east");
        d.now_sees("east", Sight::refuse);
        d.now_sees("west", "db", Sight::pass, standby(3)); // without its primary it says nothing of a lag
        d.beats(5);
        CHECK(d.said(Change::switch_started) == (current ? 1 : 0));
        CHECK(d.said(Change::switch_waiting) == (current ? 0 : 1));
        CHECK(d.hooks.size() == (current ? 1 : 0)); // the fence
    }
}
