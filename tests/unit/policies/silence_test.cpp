// L3, L4, H6: an engine that goes through silence: what it takes down, what it holds, and when it believes
// again.
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model spread(std::size_t sites, std::optional<DatacenterIndex> home = {}) {
    Model m = world(sites);
    m.node.datacenter = home;
    serve(m, "www", Weighted{});
    return m;
}
Desk well(Model m) {
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(3);
    d.forget();
    return d;
}
/// Looks as the prober would: soon again after a failure.
void quick_beats(Desk& d, int n) {
    for (int i = 0; i < n; ++i) {
        d.look_at_all();
        d.pass_time(2250ms);
    }
}

} // namespace

TEST_CASE("H6: everything silent at once takes nothing down, and is one alarm") {
    Desk d = well(spread(3));
    d.everywhere(Sight::silence);
    quick_beats(d, 30);
    CHECK(d.said(Change::self_doubt) == 1);
    CHECK(d.said(Change::member_down) == 0);
    CHECK(d.answer() == "east+west+eu");
    CHECK(d.alarmed("self_doubt"));
    CHECK(d.engine.report(d.now).doubt);
}

TEST_CASE("H6: one datacenter of two dead, the other alive: it is taken down, doubt or not asked") {
    Desk d = well(spread(2));
    d.now_sees("east", Sight::silence);
    quick_beats(d, 4);
    CHECK(d.said(Change::self_doubt) == 0);
    CHECK(d.answer() == "west");
}

TEST_CASE("H6: two of three dead, node outside: both leave") {
    Desk d = well(spread(3));
    d.now_sees("east", Sight::silence);
    d.now_sees("west", Sight::silence);
    quick_beats(d, 4);
    d.pass_time(60s);
    CHECK(d.answer() == "eu");
}

TEST_CASE("L4: inside one of three without references, both others silent is doubt; a reference that answers "
          "ends it") {
    Model m = spread(3, DatacenterIndex{0});
    SUBCASE("no references") {
        Desk d = well(std::move(m));
        d.now_sees("west", Sight::silence);
        d.now_sees("eu", Sight::silence);
        quick_beats(d, 5);
        CHECK(d.said(Change::self_doubt) == 1);
        CHECK(d.answer() == "east+west+eu");
    }
    SUBCASE("a reference answers") {
        m.self_doubt.references = {*SocketAddress::parse("198.51.100.1:53")};
        Desk d(std::move(m));
        d.everywhere(Sight::pass);
        d.now_sees("", "reference", Sight::pass);
        d.beats(3);
        d.now_sees("west", Sight::silence);
        d.now_sees("eu", Sight::silence);
        quick_beats(d, 5);
        CHECK(d.said(Change::self_doubt) == 0);
        d.pass_time(60s);
        CHECK(d.answer() == "east");
    }
}

TEST_CASE("L4: references silent while the world answers is an alarm and no doubt, and it ends") {
    Model m = spread(2);
    m.self_doubt.references = {*SocketAddress::parse("198.51.100.1:53")};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.now_sees("", "reference", Sight::silence);
    quick_beats(d, 5);
    CHECK(d.said(Change::references_silent) == 1);
    CHECK(d.said(Change::self_doubt) == 0);
    CHECK(d.alarmed("references_silent"));
    d.now_sees("", "reference", Sight::pass);
    quick_beats(d, 20);
    CHECK(d.said(Change::references_answer) == 1);
    CHECK_FALSE(d.alarmed("references_silent"));
}

TEST_CASE("L4: doubt holds silence and never evidence") {
    Desk d = well(spread(3));
    d.everywhere(Sight::silence);
    quick_beats(d, 5);
    REQUIRE(d.said(Change::self_doubt) == 1);
    Observation o = refused(d.now.mono);
    o.member = d.member("web", "west");
    for (int i = 0; i < 3; ++i) {
        o.begun = o.ended = d.now.mono;
        d.observe(o);
    }
    CHECK(d.answer() == "east+eu");
}

TEST_CASE("L4: doubt ends one interval after answers are back, and fall begins anew for those still silent") {
    Desk d = well(spread(3));
    d.everywhere(Sight::silence);
    quick_beats(d, 5);
    REQUIRE(d.said(Change::self_doubt) == 1);
    d.now_sees("east", Sight::pass);
    d.now_sees("west", Sight::pass);
    d.look_at_all();
    CHECK(d.said(Change::self_doubt_over) == 0);
    d.pass_time(2s);
    CHECK(d.said(Change::self_doubt_over) == 1);
    CHECK(d.said(Change::member_down) == 0);
    d.look_at_all();
    d.look_at_all();
    CHECK(d.said(Change::member_down) == 0);
    d.look_at_all();
    CHECK(d.said(Change::member_down) == 1);
    CHECK(d.answer() == "east+west");
}

TEST_CASE("H6: an uplink cut for an hour stays doubt, through faults of our own and a reload") {
    Desk d = well(spread(3));
    d.everywhere(Sight::silence);
    quick_beats(d, 400); // 15 minutes: no witness has passed in the last five
    SUBCASE("and nothing else") {}
    SUBCASE("our own interface is down for a while") {
        d.everywhere(Sight::unknown);
        d.beats(5);
        d.everywhere(Sight::silence);
    }
    SUBCASE("an operator reloads the configuration") { d.reload(spread(3)); }
    quick_beats(d, 400);
    CHECK(d.said(Change::self_doubt) == 1);
    CHECK(d.said(Change::self_doubt_over) == 0);
    CHECK(d.said(Change::member_down) == 0);
    CHECK(d.answer() == "east+west+eu");
}

TEST_CASE("L3: faults of our own move nothing, whatever they look like from outside") {
    Desk d = well(spread(3));
    d.everywhere(Sight::unknown);
    d.beats(100);
    CHECK(d.transitions.empty());
    CHECK(d.answer() == "east+west+eu");
}

TEST_CASE(
    "L4: a datacenter not heard since is looked at, all that were asked are waited for, at most a timeout") {
    Model m = world(2);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[1].addresses = {ip("10.2.0.1"), ip("10.2.0.2"), ip("10.2.0.3"), ip("10.2.0.4")};
    Desk d = well(std::move(m));
    // East falls silent and is at the brink before anything of west has been looked at again.
    Observation silence;
    for (int i = 0; i < 3; ++i) {
        d.pass_time(100ms);
        silence = silent(d.now.mono);
        silence.begun = d.now.mono - 50ms;
        silence.member = d.member("web", "east");
        d.observe(silence);
    }
    REQUIRE(d.looks.size() == 3); // of west's four
    CHECK(d.said(Change::member_down) == 0);
    auto answers = [&](std::size_t i, bool silent_too) {
        Observation o = silent_too ? silent(d.now.mono) : passed(d.now.mono);
        o.begun = d.now.mono;
        o.member = d.looks[i];
        d.observe(o);
    };
    SUBCASE("one answers, two are silent: west is dark, this node doubts itself") {
        answers(0, false);
        CHECK(d.said(Change::member_down) == 0);
        answers(1, true);
        answers(2, true);
        CHECK(d.said(Change::self_doubt) == 1);
        CHECK(d.said(Change::member_down) == 0);
    }
    SUBCASE("two answer: east is dead") {
        answers(0, true);
        answers(1, false);
        answers(2, false);
        CHECK(d.said(Change::self_doubt) == 0);
        CHECK(d.said(Change::member_down) == 1);
    }
    SUBCASE("one answers and the others are waited for no longer than a timeout") {
        answers(0, false);
        d.pass_time(2s - 1ns);
        CHECK(d.said(Change::member_down) == 0);
        d.pass_time(1ns);
        CHECK(d.said(Change::member_down) == 1);
    }
    SUBCASE("nobody answers in time: doubt") {
        d.pass_time(2s);
        CHECK(d.said(Change::self_doubt) == 1);
    }
}
