#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

bool playing(const Drill& s) { return s.report().drill && s.report().drill->running; }
std::string over(const Drill& s) { return s.report().drill->ended; }

/// Every transition about the site since then is marked, and those of others are not.
bool marked(const Drill& s, Moment since, const std::string& site) {
    for (const Entry& e : s.journal())
        if (e.at >= since && e.what.transition.datacenter == site && !e.what.transition.drill) return false;
    return true;
}

} // namespace

TEST_CASE(
    "P14: a site that is played lost is left as a lost one is, marked, and is back when the time is up") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    auto begin = s.now();
    REQUIRE(s.loses("east", 10min).accepted);
    REQUIRE(s.runs_until([&] { return s.answers("www") == "eu+west"; }, 10s));
    CHECK(s.now() - begin < 9s); // a silence, by default: L2
    CHECK(s.now() - begin > 2s);
    s.runs(5min);
    CHECK(playing(s));
    CHECK(s.alarm("drill"));
    CHECK(marked(s, begin, "east"));
    const auto r = *s.report().drill;
    REQUIRE(r.seen);
    REQUIRE(r.decided);
    REQUIRE(r.published);
    CHECK(*r.seen >= 2s);
    CHECK(*r.seen <= *r.decided);
    CHECK(*r.decided <= *r.published);
    CHECK(*r.published < 9s);
    CHECK(s.world().target("10.1.0.1:8080").looks > 100); // it is looked at all the time
    s.runs(5min + 1s);
    CHECK_FALSE(playing(s));
    CHECK(over(s) == "its time is up");
    CHECK(s.answers("www") == "east+eu+west");
    CHECK_FALSE(s.alarm("drill"));
}

TEST_CASE("P14: the daemon owns the time: a restart goes on with a drill, and ends one that is over") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.loses("east", 5min).accepted);
    s.runs(1min);
    s.restart(10s);
    s.runs(1min);
    CHECK(playing(s));
    CHECK(s.answers("www") == "eu+west");
    s.runs(4min);
    CHECK(s.answers("www") == "east+eu+west");
    REQUIRE(s.loses("west", 1min).accepted);
    s.runs(30s);
    s.restart(45s); // it would have ended meanwhile
    s.runs(5s);
    CHECK_FALSE(playing(s));
    CHECK(s.count(Change::drill_ended) == 2);
    CHECK(s.answers("www") == "east+eu+west");
}

TEST_CASE("P14: what ailed the site before the drill is not the drill's") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.alarm("endpoint_unfit"));
    REQUIRE(s.loses("east", 10min).accepted);
    s.runs(1min);
    for (const auto& a : s.report().alarms) CHECK(a.drill == (a.id == "drill"));
}

TEST_CASE("P14: a real failure elsewhere ends the drill, and the site is back at once") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.loses("east", 10min).accepted);
    s.runs(1min);
    auto fault = s.application("west", saying::refused());
    REQUIRE(s.runs_until([&] { return !playing(s); }, 5s));
    CHECK(over(s).find("west fails in earnest") != std::string::npos);
    REQUIRE(s.runs_until([&] { return s.answers("www") == "east+eu"; }, 2s));
    CHECK(s.now() - fault < 5s);
    for (const Entry& e : s.all(Change::endpoint_unfit, fault)) CHECK_FALSE(e.what.transition.drill);
}

TEST_CASE("P14: when the site that is played lost fails in earnest the drill is over and it stays out") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.loses("east", 10min).accepted);
    s.runs(1min);
    s.kill("east");
    REQUIRE(s.runs_until([&] { return !playing(s); }, 12s));
    s.runs(1min);
    CHECK(s.answers("www") == "eu+west");
    s.revive("east");
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu+west");
}

TEST_CASE("P14: somebody's command ends it, and so does a reload; what only asks does not") {
    const std::string yaml = sites(3, {{"www", ordered("east, west, eu") + "failback: manual\n"}});
    Drill s{yaml};
    s.runs(1min);
    REQUIRE(s.loses("east", 10min).accepted);
    s.runs(1min);
    CHECK(s.answers("www") == "west");
    s.move("www", "eu", true);
    CHECK(playing(s));
    REQUIRE(s.drain("www", "eu").accepted);
    CHECK_FALSE(playing(s));
    CHECK(over(s) == "a command of ana");
    REQUIRE(s.undrain("www", "eu").accepted);
    REQUIRE(s.loses("east", 10min).accepted);
    s.reload(yaml);
    CHECK_FALSE(playing(s));
    REQUIRE(s.loses("east", 10min).accepted);
    REQUIRE(s.gives_up_drill().accepted);
    CHECK_FALSE(s.gives_up_drill().accepted);
    s.runs(2s);
    CHECK(s.endpoint("www", "east").fit);
}

TEST_CASE("P14: refused where a service could not bear it, and while another is under way") {
    Drill s{
        sites_with(3, {"www", weighted}, "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1]}\n")};
    s.runs(1min);
    s.application("west", saying::refused());
    s.runs(1min);
    const auto refused = s.loses("east", 10min);
    CHECK_FALSE(refused.accepted);
    REQUIRE(refused.details.size() == 1);
    CHECK(refused.details[0].find("its last usable site") != std::string::npos);
    CHECK(s.loses("eu", 10min).accepted); // nothing is answered there
    CHECK_FALSE(s.loses("west", 10min).accepted);
    CHECK_FALSE(s.loses("nowhere", 10min).accepted);
}

TEST_CASE("P14, D7: a drill promotes nothing and runs no hook: what would need them is told, and stays") {
    Drill s{sites(2, {{"shop", automatic}, {"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    auto begin = s.now();
    REQUIRE(s.loses("east", 10min).accepted);
    s.runs(5min);
    CHECK(s.answers("www") == "west");
    CHECK(s.moves("shop", begin) == 0);
    CHECK(s.runbook().runs().empty());
    CHECK_FALSE(s.report("shop").running);
    const auto r = *s.report().drill;
    REQUIRE(r.held.size() == 1);
    CHECK(r.held[0].find("the runbook would move it to west") != std::string::npos);
    s.runs(6min);
    CHECK(s.report("shop").state == "serving");
    CHECK(s.moves("shop", begin) == 0);
}

TEST_CASE("P14: with its hooks asked for, the runbook is part of the drill") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    auto begin = s.now();
    REQUIRE(s.loses("east", 10min, true).accepted);
    s.runs(2min);
    CHECK(s.runbook().text(begin).starts_with("fence east"));
}

TEST_CASE("P14: what a drill causes is marked until it is over; what comes later is real, and is not") {
    Drill s{sites(2, {{"www", ordered("east, west") + "failback: {mode: delayed, after: 120s}\n"}})};
    s.runs(5min);
    const auto begin = s.now();
    REQUIRE(s.loses("east", 2min).accepted);
    s.runs(2min);
    REQUIRE(s.answers("www") == "west");
    const auto end = s.first(Change::drill_ended, begin);
    REQUIRE(end);
    s.runs(10min);
    REQUIRE(s.answers("www") == "east");
    for (const Entry& e : s.journal())
        if (e.at >= begin)
            CHECK(e.what.transition.drill ==
                  (e.at < *end || e.what.transition.change == Change::drill_ended));
}

TEST_CASE("P14: a command that is refused ends no drill") {
    Drill s{sites(2, {{"www", weighted}, {"shop", automatic}})};
    s.runs(1min);
    REQUIRE(s.loses("west", 10min).accepted);
    s.runs(1min);
    CHECK_FALSE(s.drain("shop", "east").accepted); // the primary is there
    CHECK(playing(s));
    s.runs(1min);
    CHECK(s.answers("www") == "east");
    REQUIRE(s.drain("www", "east").accepted); // west is well: it is only played lost
    CHECK_FALSE(playing(s));
}
