// L10, L12, P4: an active/passive service stays where it is, leaves at once and returns as configured.
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model ordered(Service::Failback failback, std::size_t sites = 3) {
    Model m = world(sites);
    serve(m, "www", in_order(sites)).failback = failback;
    return m;
}

/// East has failed and is fit again; traffic is in west.
Desk after_an_outage(Service::Failback failback) {
    Desk d(ordered(failback));
    d.everywhere(Sight::pass);
    d.beats(1);
    REQUIRE(d.answer() == "east");
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    REQUIRE(d.answer() == "west");
    REQUIRE(d.said(Change::failover) == 1);
    d.now_sees("east", Sight::pass);
    d.beats(16); // first pass, then the hold-down of 30 s
    return d;
}

} // namespace

TEST_CASE("L12: failback auto returns as soon as the better site is fit") {
    Desk d = after_an_outage(Service::Failback::automatic);
    CHECK(d.answer() == "east");
    CHECK(d.said(Change::failback) == 1);
}

TEST_CASE("L12: failback delayed returns after 300 s of the unbroken run") {
    Desk d = after_an_outage(Service::Failback::delayed);
    CHECK(d.answer() == "west");
    d.beats(134); // 16 + 134 beats: first pass plus 298 s
    CHECK(d.answer() == "west");
    d.beats(1);
    CHECK(d.answer() == "east");
}

TEST_CASE("L12: a break in the run begins the 300 s anew") {
    Desk d = after_an_outage(Service::Failback::delayed);
    d.beats(100);
    d.now_sees("east", Sight::refuse);
    d.beats(1);
    d.now_sees("east", Sight::pass);
    d.beats(150);
    CHECK(d.answer() == "west");
    d.beats(1);
    CHECK(d.answer() == "east");
}

TEST_CASE("P4: failback manual changes nothing while the active site is fit, and says that it waits") {
    Desk d = after_an_outage(Service::Failback::manual);
    d.forget();
    d.beats(1800); // an hour
    CHECK(d.answer() == "west");
    CHECK(d.said(Change::plan_changed) == 0);
    CHECK(d.alarmed("awaiting_failback"));
    CHECK(d.engine.report(d.now).services[0].state == "awaiting failback");

    SUBCASE("the operator returns it") {
        CHECK(d.command(Failback{"www.test"}).accepted);
        CHECK(d.answer() == "east");
        CHECK_FALSE(d.alarmed("awaiting_failback"));
    }
    SUBCASE("the active site fails meanwhile: a new failover") {
        d.now_sees("west", Sight::refuse);
        d.beats(3);
        CHECK(d.answer() == "east");
        CHECK(d.said(Change::failover) == 1);
    }
}

TEST_CASE("L10: a latch keeps no traffic at a site that fails") {
    Desk d = after_an_outage(Service::Failback::manual);
    d.now_sees("west", Sight::refuse);
    d.now_sees("east", Sight::refuse);
    d.beats(4);
    CHECK(d.answer() == "eu");
}

TEST_CASE("an operator's drain of the active site moves it, and it returns as failback says") {
    Desk d(ordered(Service::Failback::automatic));
    d.everywhere(Sight::pass);
    d.beats(1);
    CHECK(d.command(SetOverride{{"", "east"}, "works"}).accepted);
    CHECK(d.answer() == "west");
    CHECK(d.command(EndOverride{{"", "east"}}).accepted);
    CHECK(d.answer() == "east");
}

TEST_CASE("L10: with nothing else left, the site that passes is answered before its hold-down has passed") {
    Desk d(ordered(Service::Failback::automatic, 2));
    d.everywhere(Sight::pass);
    d.beats(1);
    d.everywhere(Sight::refuse);
    d.beats(4);
    REQUIRE(d.alarmed("all_down"));
    d.now_sees("west", Sight::pass);
    d.beats(5); // rise is met, 30 s are not
    CHECK(d.answer() == "west");
}

TEST_CASE("L10: while one passes, never only failing endpoints: every state of four sites, every policy") {
    for (int kind = 0; kind < 3; ++kind)
        for (unsigned up = 1; up < 16; ++up) {
            Model m = world(4);
            serve(m, "www",
                  kind == 0 ? Policy{in_order(4)} : (kind == 1 ? Policy{Weighted{}} : Policy{Latency{}}));
            Desk d(std::move(m));
            d.everywhere(Sight::pass);
            d.beats(1);
            for (unsigned i = 0; i < 4; ++i)
                if (!(up >> i & 1)) d.now_sees(site_name(i), Sight::refuse);
            d.beats(3);
            bool living = false;
            for (const Choice& c : d.engine.plan(0).choices) living |= up >> c.endpoint & 1;
            CHECK(living);
            d.beats(31); // the brake has let go
            for (const Choice& c : d.engine.plan(0).choices) CHECK((up >> c.endpoint & 1) == 1);
        }
}

TEST_CASE("P5: 2 of 3 down: active/passive moves to the third at once, weighted withdraws one now and one "
          "after 60 s") {
    Desk ap(ordered(Service::Failback::manual));
    ap.everywhere(Sight::pass);
    ap.beats(1);
    ap.now_sees("east", Sight::refuse);
    ap.now_sees("west", Sight::refuse);
    ap.beats(3);
    CHECK(ap.answer() == "eu");

    Model m = world(3);
    serve(m, "www", Weighted{});
    Desk w(std::move(m));
    w.everywhere(Sight::pass);
    w.beats(1);
    w.now_sees("east", Sight::refuse);
    w.now_sees("west", Sight::refuse);
    w.beats(3);
    CHECK(w.answer() == "west+eu");
    CHECK(w.said(Change::endpoint_braked) == 1);
    CHECK(w.alarmed("braked"));
    w.pass_time(60s - 1ns);
    CHECK(w.answer() == "west+eu");
    w.pass_time(1ns);
    CHECK(w.answer() == "eu");
}

TEST_CASE("P5: 3 of 3 down at once: on_all_down, nobody singled out, an alarm") {
    Model m = world(3);
    serve(m, "www", Weighted{});
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(1);
    d.everywhere(Sight::refuse);
    d.beats(3);
    CHECK(d.answer() == "east+west+eu");
    CHECK(d.alarmed("all_down"));
    CHECK_FALSE(d.alarmed("braked"));
    CHECK(d.last(Change::all_down).severity == Severity::critical);
}

TEST_CASE("L8: everything down for long falls back to last_good where that is chosen") {
    Model m = world(3);
    serve(m, "www", Weighted{}).on_all_down.mode = OnAllDown::Mode::last_good;
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(1);
    d.now_sees("east", Sight::refuse);
    d.beats(40);
    REQUIRE(d.answer() == "west+eu");
    d.everywhere(Sight::refuse);
    d.beats(40);
    CHECK(d.answer() == "west+eu");
    CHECK(d.command(SetOverride{{"", "west"}, "works", 24h, true}).accepted);
    CHECK(d.answer() == "eu");
}

TEST_CASE("rule 2: a reload that changes the checks does not move traffic to the site that happens to answer "
          "first") {
    auto model = [](const std::string& path) {
        Model m = ordered(Service::Failback::manual, 2);
        Check check = *m.checks[web];
        std::get<HttpCheck>(check.kind).path = path;
        m.checks[web] = std::make_shared<Check>(check);
        return m;
    };
    Desk d(model("/"));
    d.everywhere(Sight::pass);
    d.beats(5);
    REQUIRE(d.answer() == "east");
    d.reload(model("/healthz"));
    CHECK(d.answer() == "east");
    d.now_sees("east", Sight::nothing);
    d.look_at_all();
    CHECK(d.answer() == "east");
    d.now_sees("east", Sight::pass);
    d.beats(1);
    CHECK(d.answer() == "east");
}

TEST_CASE("rule 2: a reload that changes the checks of a weighted service brings no failing site back") {
    auto model = [](const std::string& path) {
        Model m = world(2);
        serve(m, "www", Weighted{});
        Check check = *m.checks[web];
        std::get<HttpCheck>(check.kind).path = path;
        m.checks[web] = std::make_shared<Check>(check);
        return m;
    };
    Desk d(model("/"));
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(40);
    REQUIRE(d.answer() == "west");
    d.reload(model("/healthz"));
    CHECK(d.answer() == "west");
    CHECK_FALSE(d.alarmed("all_down"));
}
