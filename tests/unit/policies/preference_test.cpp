// What lowers preference without removing: degraded results, and the share of its traffic a target asks for.
#include "policies/member.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Observation degraded(Instant at) { return seen(Outcome::degraded, Reason::no_quorum, at); }

/// `n` beats of 2 s in which one site's web tier is degraded, while all else is as it was.
void beats_degraded(Desk& desk, const std::string& datacenter, int n) {
    desk.now_sees(datacenter, "web", Sight::nothing);
    for (int i = 0; i < n; ++i) {
        desk.beats(1);
        Observation o = degraded(desk.now.mono);
        o.member = desk.member("web", datacenter);
        desk.observe(o);
    }
}

/// "east 2 west 1": the weights of the plan.
std::string shares(const Desk& desk) {
    std::string text;
    for (const Choice& c : desk.engine.plan(0).choices)
        text += (text.empty() ? "" : " ") +
                desk.model->datacenter_of(desk.model->services[0], c.endpoint).name + " " +
                std::to_string(c.weight);
    return text;
}

Facts asking(double weight) { return {.weight = weight}; }

Desk weighted_desk(std::size_t sites = 2) {
    Model m = world(sites);
    serve(m, "www", Weighted{});
    Desk desk(std::move(m));
    desk.everywhere(Sight::pass);
    desk.beats(30);
    desk.forget();
    return desk;
}

} // namespace

TEST_CASE("degraded takes `fall` results to count, and rise and hold-down to be over") {
    MemberHealth m;
    Check check{.kind = HttpCheck{}, .timing = {.hold_down = 10s, .fall = 3, .rise = 2}};
    Instant now = dawn;
    const auto sees = [&](Outcome o) { m.observe(seen(o, Reason::ok, now += 2s), check, false, {}); };
    sees(Outcome::pass);
    for (int i = 0; i < 2; ++i) sees(Outcome::degraded);
    CHECK(m.whole.verdict == Readiness::ready);
    sees(Outcome::degraded);
    CHECK(m.whole.verdict == Readiness::unready);
    CHECK(m.ready() == Readiness::ready); // it works all the time
    for (int i = 0; i < 5; ++i) sees(Outcome::pass);
    CHECK(m.whole.verdict == Readiness::unready); // 8 s of 10 s
    sees(Outcome::pass);
    CHECK(m.whole.verdict == Readiness::ready);
}

TEST_CASE("alternating results never make a member degraded") {
    MemberHealth m;
    Check check{.kind = HttpCheck{}};
    Instant now = dawn;
    for (int i = 0; i < 1000; ++i) {
        m.observe(seen(i % 2 ? Outcome::degraded : Outcome::pass, Reason::ok, now += 2s), check, false, {});
        REQUIRE(m.whole.verdict == Readiness::ready);
    }
}

TEST_CASE("weighted: a degraded site takes half its share, and is never removed") {
    Desk desk = weighted_desk();
    beats_degraded(desk, "east", 2);
    CHECK(shares(desk) == "east 1 west 1");
    beats_degraded(desk, "east", 1);
    CHECK(shares(desk) == "east 1 west 2");
    CHECK(desk.said(Change::endpoint_degraded) == 1);
    CHECK(desk.said(Change::endpoint_unfit) == 0);
    desk.now_sees("west", Sight::refuse);
    beats_degraded(desk, "east", 3);
    CHECK(desk.answer() == "east"); // alone it takes everything
    desk.everywhere(Sight::pass);
    desk.beats(30);
    CHECK(shares(desk) == "east 1 west 1");
}

TEST_CASE("weighted: sites that are all degraded share as configured") {
    Desk desk = weighted_desk();
    for (int i = 0; i < 3; ++i) {
        beats_degraded(desk, "east", 1);
        beats_degraded(desk, "west", 1);
    }
    CHECK(shares(desk) == "east 1 west 1");
}

TEST_CASE("active/passive: a degraded site is neither left nor preferred") {
    Model m = world(3);
    serve(m, "www", in_order(3)).failback = Service::Failback::automatic;
    Desk desk(std::move(m));
    desk.everywhere(Sight::pass);
    desk.beats(20);
    beats_degraded(desk, "east", 5);
    CHECK(desk.answer() == "east"); // serving it is not a failure
    beats_degraded(desk, "west", 5);
    desk.now_sees("east", Sight::refuse);
    desk.beats(5);
    CHECK(desk.answer() == "eu"); // of those that are left, the whole one
    desk.now_sees("east", Sight::pass);
    beats_degraded(desk, "east", 60);
    CHECK(desk.answer() == "eu"); // no failback to what is degraded
    desk.now_sees("east", Sight::pass);
    desk.beats(30);
    CHECK(desk.answer() == "east");
}

TEST_CASE("an agent's weight multiplies the endpoint's, as with HAProxy") {
    Model m = world(2);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[0].weight = 70;
    s.endpoints[1].weight = 30;
    Desk desk(std::move(m));
    desk.everywhere(Sight::pass);
    desk.beats(30);
    CHECK(shares(desk) == "east 70 west 30");
    desk.now_sees("east", "web", Sight::pass, asking(0.5));
    desk.beats(1);
    CHECK(shares(desk) == "east 7 west 6"); // 35 : 30
    CHECK(desk.last(Change::endpoint_share).reason == "east is at 50% of its share");
    desk.now_sees("east", "web", Sight::pass, asking(1));
    desk.beats(1);
    CHECK(shares(desk) == "east 70 west 30");
}

TEST_CASE("a share that is asked for is kept while its target is silent, and over a restart") {
    Desk desk = weighted_desk();
    desk.now_sees("east", "web", Sight::pass, asking(0.5));
    desk.beats(1);
    desk.now_sees("east", "web", Sight::silence);
    desk.beats(1);
    CHECK(shares(desk) == "east 1 west 2");
    Model again = *desk.model;
    Desk restarted(std::move(again), desk.stored(), desk.now.mono - dawn + 2s);
    CHECK(shares(restarted) == "east 1 west 2");
}

TEST_CASE("a target that drains itself is out at once, and back at once, without having failed") {
    Desk desk = weighted_desk();
    desk.now_sees("east", "web", Sight::pass, asking(0));
    desk.beats(1);
    CHECK(desk.answer() == "west");
    CHECK(desk.last(Change::endpoint_unfit).reason.find("drained") != std::string::npos);
    CHECK(desk.said(Change::member_down) == 0);
    desk.now_sees("east", "web", Sight::pass, asking(1));
    desk.beats(1);
    CHECK(desk.answer() == "east+west");
}

TEST_CASE("what drains itself is used when nothing else is left") {
    Desk desk = weighted_desk();
    desk.now_sees("east", "web", Sight::pass, asking(0));
    desk.beats(1);
    desk.now_sees("west", "web", Sight::refuse);
    desk.beats(4);
    CHECK(desk.answer() == "east");
}

TEST_CASE("of one endpoint's addresses, the drained one is not answered while there is another") {
    Model m = world(2);
    serve(m, "www", Weighted{}).endpoints[0].addresses.push_back(ip("10.1.0.2"));
    Desk desk(std::move(m));
    desk.everywhere(Sight::pass);
    desk.beats(30);
    for (const Member& member : desk.engine.members()) {
        if (member.spec.target_text() != "10.1.0.2:80") continue;
        Observation o = passed(desk.now.mono);
        o.facts = asking(0);
        o.member = member.id;
        desk.observe(o);
    }
    CHECK(desk.engine.plan(0).choices.front().addresses == std::vector{ip("10.1.0.1")});
    CHECK(shares(desk) == "east 1 west 2"); // half of it is left
}
