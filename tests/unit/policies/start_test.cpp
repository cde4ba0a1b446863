// L20: when a service begins to answer, and what a restart leaves as it was.
#include "tests/unit/policies/builders.hpp"

#include <functional>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model ordered(std::size_t sites) {
    Model m = world(sites);
    serve(m, "www", in_order(sites));
    return m;
}
Model spread(std::size_t sites) {
    Model m = world(sites);
    serve(m, "www", Weighted{});
    return m;
}
Model following() {
    Model m = world(2);
    follow_service(m);
    return m;
}

} // namespace

TEST_CASE("L20: an ordered service answers as soon as its preferred endpoint is fit") {
    Desk d(ordered(2));
    CHECK(d.answer() == "SERVFAIL");
    d.now_sees("east", Sight::pass);
    d.look_at_all();
    CHECK(d.answer() == "east");
    CHECK(d.said(Change::served) == 1);
}

TEST_CASE("L20: it waits 2 s for the preferred endpoint, no longer, while another is fit") {
    Desk d(ordered(2));
    d.now_sees("west", Sight::pass);
    d.look_at_all();
    CHECK(d.answer() == "SERVFAIL");
    d.pass_time(2s - 1ns);
    CHECK(d.answer() == "SERVFAIL");
    d.pass_time(1ns);
    CHECK(d.answer() == "west");
}

TEST_CASE("L20: a spreading service answers once all are decided, or after 2 s if any is fit") {
    SUBCASE("all decided") {
        Desk d(spread(2));
        d.everywhere(Sight::pass);
        d.look_at_all();
        CHECK(d.answer() == "east+west");
    }
    SUBCASE("one is late") {
        Desk d(spread(2));
        d.now_sees("west", Sight::pass);
        d.look_at_all();
        CHECK(d.answer() == "SERVFAIL");
        d.pass_time(2s);
        CHECK(d.answer() == "west");
    }
    SUBCASE("one is down") {
        Desk d(spread(2));
        d.now_sees("west", Sight::pass);
        d.now_sees("east", Sight::refuse);
        for (int i = 0; i < 3; ++i) {
            d.look_at_all();
            d.pass_time(250ms);
        }
        CHECK(d.answer() == "west");
    }
}

TEST_CASE("L20: after 10 s undecided on_all_down applies, never NXDOMAIN, never longer") {
    Desk d(spread(2));
    d.pass_time(10s - 1ns);
    CHECK(d.answer() == "SERVFAIL");
    d.pass_time(1ns);
    CHECK(d.answer() == "east+west");
    CHECK(d.said(Change::undecided_over) == 1);
    CHECK(d.said(Change::all_down) == 1);
}

TEST_CASE("H4: unknown decides nothing at the start") {
    Desk d(spread(2));
    d.everywhere(Sight::unknown);
    d.beats(4);
    CHECK(d.answer() == "SERVFAIL");
}

TEST_CASE("L20: a following service answers once a claim is confirmed") {
    Desk d(following());
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3));
    d.now_sees("west", "db", Sight::pass, standby(3));
    d.look_at_all();
    CHECK(d.answer() == "SERVFAIL");
    d.pass_time(250ms);
    d.look_at_all();
    CHECK(d.answer() == "east");
    CHECK(d.said(Change::primary_followed) == 1);
}

TEST_CASE("L14: without any claim a following service asks on_all_down after the 10 s of a first start") {
    Desk d(following());
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, standby(3));
    d.now_sees("west", "db", Sight::pass, standby(3));
    d.beats(4);
    CHECK(d.answer() == "SERVFAIL");
    d.beats(1);
    CHECK(d.answer() == "east"); // last_good, of which there is none: as if all were up
}

TEST_CASE("static and unchecked names answer at once") {
    Model m = spread(2);
    m.services[0].unchecked = true;
    CHECK(Desk(std::move(m)).answer() == "east+west");
}

TEST_CASE("L20: a restart within 60 s changes no answer") {
    auto story = [](Model m, const std::function<void(Desk&)>& before, int quiet) {
        Desk first(m);
        first.everywhere(Sight::pass);
        first.beats(3);
        before(first);
        first.beats(quiet);
        Restored kept = first.stored();
        Desk second(m, kept, first.now.mono - dawn + 1s);
        CHECK(second.answer() == first.answer());
        return second.answer();
    };
    SUBCASE("all fit") {
        CHECK(story(
                  spread(3), [](Desk&) {}, 0) == "east+west+eu");
    }
    SUBCASE("one down") {
        CHECK(story(
                  spread(3), [](Desk& d) { d.now_sees("west", Sight::refuse); }, 5) == "east+eu");
    }
    SUBCASE("failed over") {
        CHECK(story(
                  ordered(2), [](Desk& d) { d.now_sees("east", Sight::refuse); }, 5) == "west");
    }
    SUBCASE("failed over, the preferred site fit again and latched away") {
        CHECK(story(
                  ordered(2),
                  [](Desk& d) {
                      d.now_sees("east", Sight::refuse);
                      d.beats(4);
                      d.now_sees("east", Sight::pass);
                  },
                  20) == "west");
    }
    SUBCASE("all down") {
        CHECK(story(
                  spread(2), [](Desk& d) { d.everywhere(Sight::refuse); }, 5) == "east+west");
    }
    SUBCASE("one braked") {
        CHECK(story(
                  spread(3),
                  [](Desk& d) {
                      d.now_sees("west", Sight::refuse);
                      d.now_sees("eu", Sight::refuse);
                  },
                  5) == "east+eu");
    }
    SUBCASE("drained") {
        CHECK(story(
                  spread(2),
                  [](Desk& d) {
                      d.command(SetOverride{{"", "east"}, "works"});
                  },
                  1) == "west");
    }
}

TEST_CASE("L20: a following service goes on with what it followed, before the first look") {
    Desk first(following());
    first.everywhere(Sight::pass);
    first.now_sees("east", "db", Sight::pass, standby(3));
    first.now_sees("west", "db", Sight::pass, primary(3));
    first.beats(3);
    REQUIRE(first.answer() == "west");
    Desk second(following(), first.stored(), first.now.mono - dawn + 1s);
    CHECK(second.answer() == "west");
}

TEST_CASE("L13: after a start the followed site is asked before another's claim is believed") {
    Desk first(following());
    first.everywhere(Sight::pass);
    first.now_sees("east", "db", Sight::pass, primary(3));
    first.now_sees("west", "db", Sight::pass, standby(3));
    first.beats(3);
    Desk second(following(), first.stored(), first.now.mono - dawn + 1s);
    second.now_sees("west", "db", Sight::pass, primary(4));
    second.beats(3);
    CHECK(second.answer() == "east");
    second.now_sees("east", "db", Sight::refuse);
    second.beats(4);
    CHECK(second.answer() == "west");
}

TEST_CASE("L20: health older than 60 s is a hint: a member is up after its first pass") {
    Desk first(spread(2));
    first.everywhere(Sight::refuse);
    first.beats(5);
    Restored kept = first.stored();
    auto down_at = first.now.mono - dawn;
    SUBCASE("within 60 s it is down, and rise and hold-down apply") {
        Desk d(spread(2), kept, down_at + 59s);
        d.everywhere(Sight::pass);
        d.beats(1);
        CHECK(d.engine.report(d.now).members[0].verdict == Readiness::unready);
    }
    SUBCASE("later it is not") {
        Desk d(spread(2), kept, down_at + 60s);
        CHECK(d.answer() == "SERVFAIL");
        d.everywhere(Sight::pass);
        d.beats(1);
        CHECK(d.answer() == "east+west");
    }
}

TEST_CASE("L20: a member that had no verdict yet has none after a restart either") {
    Desk first(spread(2));
    first.now_sees("west", Sight::pass);
    first.now_sees("east", Sight::refuse);
    first.beats(1); // one failure: undecided
    Desk d(spread(2), first.stored(), 5s);
    d.everywhere(Sight::pass);
    d.beats(1);
    CHECK(d.answer() == "east+west");
}

TEST_CASE("latches, followed claims, switches and overrides are durable for good") {
    Desk first(ordered(2));
    first.everywhere(Sight::pass);
    first.beats(1);
    first.now_sees("east", Sight::refuse);
    first.beats(4);
    REQUIRE(first.answer() == "west");
    first.command(SetOverride{{"", "east"}, "works", 24h * 30});
    Desk d(ordered(2), first.stored(), 24h * 7); // a week later
    CHECK(d.engine.overrides().size() == 1);
    d.everywhere(Sight::pass);
    d.beats(1);
    CHECK(d.answer() == "west");
}

TEST_CASE("L20: a client of a latency service keeps its site through a restart, although another is a little "
          "nearer") {
    Model m = world(2);
    m.clients.classes[0].rtt_ms = {20.0, 25.0};
    serve(m, "www", Latency{});
    Desk first(m);
    first.everywhere(Sight::pass);
    first.beats(2);
    first.now_sees("east", Sight::refuse);
    first.beats(4);
    first.now_sees("east", Sight::pass);
    first.beats(20);
    REQUIRE(first.answer() == "west"); // 5 ms are not worth a move
    Desk second(m, first.stored(), first.now.mono - dawn + 1s);
    CHECK(second.answer() == "west");
}

TEST_CASE("L19: a frozen plan whose freeze is no more is not held") {
    Model m = world(2);
    serve(m, "www", Weighted{});
    Restored restored;
    restored.services = {
        {.service = "www.test",
         .frozen = PlanRecord{AnswerPlan::Kind::draw, 10, {{"east", {ip("10.1.0.1")}, 1, ""}}, {}}}};
    Desk d(std::move(m), restored);
    CHECK(d.answer() == "east"); // until it is decided
    d.everywhere(Desk::Sight::pass);
    d.beats(3);
    CHECK(d.answer() == "east+west");
    CHECK(d.engine.report(d.now).services[0].state == "serving");
}
