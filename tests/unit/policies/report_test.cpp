// The report and explain say what the plan does; every change of a plan has a transition that explains it.
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <random>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model everything() {
    Model m = world(3);
    m.clients.classes = {ClientClass{}, ClientClass{.rtt_ms = {30.0, 10.0, 50.0}},
                         ClientClass{.rtt_ms = {5.0, 90.0, 60.0}}};
    m.clients.networks = {{*Prefix::parse("192.0.2.0/24"), 1}, {*Prefix::parse("192.0.2.128/25"), 2}};
    serve(m, "a", in_order(3)).failback = Service::Failback::manual;
    Service& weighted = serve(m, "b", Weighted{});
    for (std::size_t i = 0; i < 3; ++i) weighted.endpoints[i].weight = static_cast<unsigned>(10 * (i + 1));
    serve(m, "c", Latency{});
    Service& shop = follow_service(m, "d");
    shop.failover = Service::Failover::automatic;
    add_hooks(shop, {Hook::Step::promote});
    return m;
}

/// Everything that is said of a service agrees with its plan.
void check_agreement(const Desk& d) {
    Report report = d.engine.report(d.now);
    for (ServiceIndex s = 0; s < d.model->services.size(); ++s) {
        const AnswerPlan& plan = d.engine.plan(s);
        double total = 0;
        for (const EndpointReport& e : report.services[s].endpoints) {
            total += e.share;
            CHECK(e.in_plan == (e.share > 0));
        }
        CHECK(total == doctest::Approx(plan.choices.empty() ? 0 : 1));
        CHECK(report.services[s].ttl == plan.ttl);
        for (const char* client : {"", "192.0.2.1", "192.0.2.200", "203.0.113.1"}) {
            auto address = IpAddress::parse(client);
            Explanation x = d.engine.explain(s, address, d.now);
            double probability = 0;
            for (auto& o : x.answer) probability += o.probability;
            CHECK(probability == doctest::Approx(plan.choices.empty() ? 0 : 1));
            CHECK(x.ttl == plan.ttl);
            CHECK_FALSE(x.lines.empty());
            for (auto& o : x.answer) { // each of them is in the plan, with these addresses
                bool found =
                    std::ranges::any_of(plan.choices, [&](auto& c) { return c.addresses == o.addresses; });
                CHECK(found);
            }
        }
    }
}

} // namespace

TEST_CASE(
    "P13: report and explain agree with the plan, and each change of a plan is explained, whatever happens") {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        Desk d(everything());
        std::vector<AnswerPlan> before(4);
        d.everywhere(Sight::pass);
        d.now_sees("east", "db", Sight::pass, primary(3, 1));
        d.now_sees("west", "db", Sight::pass, standby(3, 1));
        d.now_sees("eu", "db", Sight::pass, standby(3, 1));
        for (int step = 0; step < 40; ++step) {
            const Sight sights[] = {Sight::pass, Sight::pass, Sight::refuse, Sight::silence, Sight::unknown};
            d.forget();
            const std::string dc = site_name(random() % 3);
            if (random() % 3 == 0) {
                Facts f = random() % 2 ? primary(3 + random() % 3, 1) : standby(3, 1);
                d.now_sees(dc, "db", sights[random() % 5], f);
            } else d.now_sees(dc, "web", sights[random() % 5]);
            if (random() % 8 == 0) d.command(SetOverride{{"", dc}, "works", 20s});
            d.beats(1 + static_cast<int>(random() % 4));
            for (ServiceIndex s = 0; s < 4; ++s) {
                AnswerPlan now = d.engine.plan(s);
                AnswerPlan& was = before[s];
                was.ttl = now.ttl;
                if (now != was)
                    CHECK(std::ranges::any_of(d.transitions, [&](auto& t) {
                        return t.change == Change::plan_changed && !t.reason.empty() &&
                               t.service == d.model->services[s].name.to_string();
                    }));
                was = now;
            }
            check_agreement(d);
            CHECK(d.engine.next_due() > d.now.mono);
        }
    }
}

TEST_CASE("explain names the longest network the client is in, and the site that is nearest for it") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.beats(2);
    auto answer = [&](const char* client) {
        return d.engine.explain(2, IpAddress::parse(client), d.now).answer.at(0).datacenter;
    };
    CHECK(answer("192.0.2.1") == "west");
    CHECK(answer("192.0.2.200") == "east");
    CHECK(answer("203.0.113.1") == "east");
}

TEST_CASE("explain says of every candidate why it was kept or dropped") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.beats(2);
    d.now_sees("east", "web", Sight::refuse);
    d.command(SetOverride{{"b.test", "eu"}, "works"});
    d.beats(3);
    Explanation x = d.engine.explain(1, {}, d.now);
    auto line = [&](const std::string& stage, const std::string& subject) {
        for (auto& l : x.lines)
            if (l.stage == stage && l.subject == subject) return l;
        return Explanation::Line{};
    };
    CHECK(line("application", "east").verdict == "dropped");
    CHECK(line("application", "east").reason.find("refused") != std::string::npos);
    CHECK(line("application", "west").verdict == "kept");
    CHECK(line("override", "eu").reason.find("works") != std::string::npos);
    REQUIRE(x.answer.size() == 1);
    CHECK(x.answer[0].datacenter == "west");
    CHECK(x.answer[0].probability == doctest::Approx(1));
}

namespace {

/// All that explain says in one stage of one datacenter, one after the other.
std::string said(const Desk& d, ServiceIndex s, const char* client, const std::string& stage,
                 const std::string& subject) {
    std::string text;
    for (const auto& l : d.engine.explain(s, IpAddress::parse(client), d.now).lines)
        if (l.stage == stage && l.subject == subject) text += l.verdict + ": " + l.reason + "; ";
    return text;
}

} // namespace

TEST_CASE("P13: explain tells how far each site is from the client, and when the margin held it") {
    Model m = everything();
    m.clients.classes[2].rtt_ms = {20.0, 15.0, 50.0};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.now_sees("west", "web", Sight::refuse);
    d.beats(3);
    CHECK(said(d, 2, "192.0.2.1", "policy", "west").starts_with("dropped: not fit: web"));
    d.now_sees("west", "web", Sight::pass);
    d.beats(30);
    CHECK(said(d, 2, "192.0.2.1", "policy", "west") == "kept: 10 ms, measured; ");
    CHECK(said(d, 2, "192.0.2.1", "policy", "east") == "dropped: 30 ms, measured; ");
    CHECK(said(d, 2, "192.0.2.200", "policy", "west") == "dropped: 15 ms, measured; ");
    CHECK(said(d, 2, "192.0.2.200", "policy", "east") ==
          "kept: 20 ms, measured; kept: west is nearer, but by less than the margin (10ms or 15%, the "
          "larger): clients stay; ");
}

TEST_CASE("P13: explain tells of sites that stand by, and why a branch chose another") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.beats(2);
    CHECK(said(d, 0, "", "policy", "west") == "dropped: stands by; ");
    Model m = everything();
    m.services[1].policy = Geo{{Branch{{}, ActivePassive{{2, 0}}}}};
    Desk b(std::move(m));
    b.everywhere(Sight::pass);
    b.beats(2);
    CHECK(said(b, 1, "", "policy", "east") == "dropped: comes later in the order; ");
    CHECK(said(b, 1, "", "policy", "west") == "dropped: excluded: weight 0 or not named by the policy; ");
    CHECK(said(b, 1, "", "policy", "eu").empty());
}

TEST_CASE("P13: explain tells of a claim that is refused, of a ramp's step, and who froze the answer") {
    Model m = everything();
    m.services[1].ramp.steps = {0.1, 0.5};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3, 1));
    d.now_sees("west", "db", Sight::pass, standby(3, 1));
    d.now_sees("eu", "db", Sight::pass, standby(3, 1));
    d.beats(2);
    d.now_sees("east", Sight::refuse);
    d.beats(3);
    d.now_sees("west", "db", Sight::pass, primary(4, 1));
    d.beats(3);
    d.now_sees("east", "web", Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3, 1));
    d.beats(20);
    CHECK(said(d, 3, "", "stateful", "east") ==
          "dropped: claims to be primary with epoch 3, but epoch 4 was followed: not believed; ");
    CHECK(said(d, 1, "", "ramp", "east")
              .starts_with("limited: 10% of its share, step 1 of 2 after its return"));
    CHECK(said(d, 1, "", "ramp", "west").empty());
    d.command(SetOverride{{}, "an audit", 1h, false, Override::Kind::freeze});
    CHECK(said(d, 1, "", "policy", "").starts_with("kept: frozen by ann (an audit) until "));
}

TEST_CASE("a transition of a verdict carries its evidence and the begin of the fault") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.beats(2);
    Instant fault = d.now.mono + 2s - 10ms;
    d.now_sees("east", "web", Sight::refuse);
    d.beats(3);
    for (Change c : {Change::member_down, Change::endpoint_unfit, Change::plan_changed}) {
        const Transition& t = d.last(c);
        CHECK(t.evidence.size() == 3);
        CHECK(t.fault == fault);
        CHECK(t.decided == d.now.mono);
    }
}

TEST_CASE("an endpoint that is out is an alarm until it is back") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.beats(2);
    CHECK_FALSE(d.alarmed("endpoint_unfit"));
    d.now_sees("east", "web", Sight::refuse);
    d.beats(3);
    CHECK(d.alarmed("endpoint_unfit"));
    d.now_sees("east", "web", Sight::pass);
    d.beats(20);
    CHECK_FALSE(d.alarmed("endpoint_unfit"));
}

TEST_CASE("L11: an endpoint that lost IPv6 stays, with an alarm, and answers no AAAA") {
    Model m = world(2);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[0].addresses = {ip("10.1.0.1"), ip("2001:db8::1")};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(2);
    MemberId v6 = 0;
    for (const Member& member : d.engine.members())
        if (member.spec.target_text().starts_with("[")) v6 = member.id;
    for (int i = 0; i < 3; ++i) {
        Observation o = refused(d.now.mono);
        o.member = v6;
        d.observe(o);
    }
    CHECK(d.answer() == "east+west");
    CHECK(d.engine.plan(0).choices[0].addresses == std::vector{ip("10.1.0.1")});
    CHECK(d.alarmed("lost_ipv6"));
}

TEST_CASE(
    "L11: with IPv4 lost everywhere, A is answered as if its addresses were healthy; elsewhere it is unfit") {
    for (bool other_has_v4 : {true, false}) {
        Model m = world(2);
        Service& s = serve(m, "www", Weighted{});
        s.endpoints[0].addresses = {ip("10.1.0.1"), ip("2001:db8::1")};
        if (!other_has_v4) s.endpoints[1].addresses = {ip("2001:db8::2")};
        Desk d(std::move(m));
        d.everywhere(Sight::pass);
        d.beats(2);
        for (const Member& member : d.engine.members()) {
            if (!member.spec.target_text().starts_with("10.1.")) continue;
            for (int i = 0; i < 3; ++i) {
                Observation o = refused(d.now.mono);
                o.member = member.id;
                d.observe(o);
            }
        }
        CHECK(d.answer() == (other_has_v4 ? "west" : "east+west"));
        if (!other_has_v4)
            CHECK(d.engine.plan(0).choices[0].addresses == std::vector{ip("10.1.0.1"), ip("2001:db8::1")});
    }
}

TEST_CASE("the report names policy, state, the active and the preferred site") {
    Desk d(everything());
    d.everywhere(Sight::pass);
    d.now_sees("east", "db", Sight::pass, primary(3, 1));
    d.now_sees("west", "db", Sight::pass, standby(3, 1));
    d.now_sees("eu", "db", Sight::pass, standby(3, 1));
    d.beats(3);
    Report r = d.engine.report(d.now);
    REQUIRE(r.services.size() == 4);
    CHECK(r.services[0].policy == "active_passive");
    CHECK(r.services[1].policy == "weighted");
    CHECK(r.services[2].policy == "latency");
    CHECK(r.services[3].policy == "active_passive, follow primary");
    CHECK(r.services[0].state == "serving");
    CHECK(r.services[0].active == "east");
    CHECK(r.services[0].preferred == "east");
    CHECK(r.services[1].active.empty());
    CHECK(r.services[3].followed->datacenter == "east");
    CHECK(r.services[3].endpoints[0].role == Role::primary);
    CHECK(r.services[3].endpoints[1].role == Role::standby);
    CHECK(r.services[1].endpoints[2].share == doctest::Approx(0.5));
}
