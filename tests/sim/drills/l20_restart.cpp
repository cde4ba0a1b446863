#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
const auto everything =
    sites(3, {{"www", weighted}, {"batch", ordered("east, west, eu")}, {"shop", automatic}});
const auto services = {"www", "batch", "shop"};

/// No answer differs from what it was, and none was SERVFAIL, from `since` on.
void nothing_changed(Drill& s, Moment since) {
    for (auto* service : services) {
        CAPTURE(service);
        CHECK(s.moves(service, since) == 0);
        CHECK_FALSE(s.said(service, "SERVFAIL", since));
    }
}

/// When a report's "since" was; a record tells milliseconds, and a new process has another monotonic clock.
bool same_time(const fairway::policies::Report& a, fairway::Instant in_a, const fairway::policies::Report& b,
               fairway::Instant in_b) {
    const auto apart = a.at.wall_at(in_a) - b.at.wall_at(in_b);
    return apart <= 2ms && apart >= -2ms;
}
} // namespace

TEST_CASE("H5, L20: kill -9 and a restart within 60 s change no answer, at whatever moment") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Drill s{everything, seed};
        Random dice(seed);
        s.runs(1min + dice.between(0s, 10s));
        auto killed = s.now();
        s.restart(dice.between(10ms, 50s));
        s.runs(5min);
        nothing_changed(s, killed);
        CHECK(s.count(Change::member_down) == 0);
        CHECK(s.runbook().runs().empty());
    }
}

TEST_CASE("H5, L20: with one site down, no answer names it before, during and after the restart") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{everything, seed};
        Random dice(seed);
        s.runs(1min);
        s.kill("west");
        s.runs(2min);
        auto killed = s.now();
        s.restart(dice.between(10ms, 50s));
        s.runs(5min);
        nothing_changed(s, killed);
        CHECK_FALSE(s.named("www", "west", killed));
    }
}

TEST_CASE("O4, L20: a restart that changes nothing says nothing, and keeps since when and why") {
    const auto news = {Change::served,          Change::plan_changed,    Change::endpoint_fit,
                       Change::endpoint_unfit,  Change::endpoint_braked, Change::all_down,
                       Change::redundancy_lost, Change::redundancy_back, Change::awaiting_failback};
    for (bool all_well : {true, false}) {
        CAPTURE(all_well);
        Drill s{everything};
        s.runs(1min);
        if (!all_well) s.kill("west");
        s.runs(2min);
        const auto before = s.report();
        auto killed = s.now();
        s.restart(5s);
        s.runs(1min);
        for (Change change : news) {
            CAPTURE(std::string(to_string(change)));
            CHECK(s.count(change, killed) == 0);
        }
        const auto after = s.report();
        for (std::size_t i = 0; i < before.services.size(); ++i) {
            const auto &was = before.services[i], &is = after.services[i];
            CAPTURE(was.name);
            CHECK(is.reason == was.reason);
            CHECK(same_time(after, is.since, before, was.since));
            for (std::size_t e = 0; e < was.endpoints.size(); ++e)
                CHECK(same_time(after, is.endpoints[e].since, before, was.endpoints[e].since));
        }
    }
}

TEST_CASE("O4, L20: what changed while we were away is told once, as a change from what was answered") {
    Drill s{everything};
    s.runs(1min);
    s.kill_daemon();
    auto killed = s.now();
    s.kill("west");
    s.runs(10s);
    s.start();
    s.runs(1min);
    CHECK(s.count(Change::endpoint_unfit, killed, "www") == 1);
    CHECK(s.count(Change::endpoint_unfit, killed, "east") == 0);
    const auto told = s.all(Change::plan_changed, killed);
    REQUIRE_FALSE(told.empty());
    for (const auto& entry : told) CHECK(entry.what.transition.from != "SERVFAIL");
}

TEST_CASE("L20: a hold-down under way goes on after a restart") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(2min);
    auto back = s.application_works("east");
    s.runs(20s);
    s.restart(1s);
    s.runs(1min);
    auto up = s.first("www", "east+west", back);
    REQUIRE(up);
    CHECK(*up - back >= 30s);
    CHECK(*up - back <= 30s + 2 * 2s + 3s);
}

TEST_CASE("L20: a latch, a followed epoch and a last good plan are durable for good") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}, {"shop", follow}})};
    s.runs(1min);
    s.kill("east");
    s.runs(30s);
    s.database("west").promote();
    s.runs(30s);
    REQUIRE(s.answers("batch") == "west");
    REQUIRE(s.answers("shop") == "west");
    // when: we are away for a week, and east is up again with its old primary
    s.revive("east");
    s.restart(24h * 7);
    auto started = s.now();
    s.runs(10min);
    CHECK(s.answers("batch") == "west");
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.named("batch", "east", started));
    CHECK_FALSE(s.named("shop", "east", started));
}

TEST_CASE("L20: what happened while we were away is seen after the start, not guessed") {
    Drill s{everything};
    s.runs(1min);
    s.kill_daemon();
    s.kill("west");
    s.runs(30s);
    s.start();
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu");
    CHECK(s.answers("batch") == "east");
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("H5, L20: a disk that fails or hangs stops no answer; a withdrawal never waits for it") {
    for (bool hangs : {true, false}) {
        CAPTURE(hangs);
        Drill s{everything};
        s.runs(1min);
        if (hangs) s.disk().hangs = true;
        else s.disk().failure = "disk full";
        auto fault = s.application("east", saying::refused());
        s.runs(1min);
        CHECK(s.answers("batch") == "west");
        CHECK_FALSE(s.named("batch", "east", fault + 2800ms + 3 * 10ms + 500ms));
        CHECK(s.answers("www") == "eu+west");
        CHECK_FALSE(s.named("www", "east", fault + 2800ms + 3 * 10ms));
        CHECK(s.count(Change::store_failed) == 1);
        s.disk().hangs = false;
        s.disk().failure.clear();
        s.runs(1min);
        CHECK(s.count(Change::store_recovered) == 1);
    }
}

TEST_CASE("L20: a lost state file is a first start: undecided, then what is seen") {
    Drill s{everything};
    s.runs(1min);
    s.kill_daemon();
    s.lose_disk();
    s.start();
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu+west");
    CHECK(s.answers("batch") == "east");
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("L14, L20: what is answered for want of a primary stays through a restart, and its clock goes on") {
    SUBCASE("in force already") {
        for (const auto& mode : {"standby", "on_all_down\non_all_down: {static: [192.0.2.99]}"}) {
            CAPTURE(mode);
            Drill s{sites(2, {{"shop", follow + "on_no_primary: " + mode + "\n"}})};
            s.runs(1min);
            s.kill("east");
            s.runs(5min);
            auto answer = s.answers("shop");
            REQUIRE(answer != "east");
            auto killed = s.now();
            s.restart(5s);
            s.runs(10min);
            CHECK(s.moves("shop", killed) == 0);
            CHECK(s.answers("shop") == answer);
        }
    }
    SUBCASE("not yet: critical at its time, counted from when the primary went") {
        Drill s{sites(2, {{"shop", follow}})};
        s.runs(1min);
        auto death = s.kill("east");
        s.runs(40s);
        s.restart(5s);
        s.runs(2min);
        REQUIRE(s.first(Change::no_primary_critical, death));
        CHECK(*s.first(Change::no_primary_critical, death) - death <= 60s + 9s);
    }
}

TEST_CASE("L20: what a failed disk missed is written once it works: health from before the outage is not "
          "restored as truth") {
    Drill s{everything};
    s.runs(1min);
    s.disk().failure = "disk full";
    s.kill("west");
    s.runs(5min);
    REQUIRE(s.answers("www") == "east+eu");
    s.disk().failure.clear();
    s.runs(20s);
    auto killed = s.now();
    s.restart(5s);
    s.runs(1min);
    CHECK_FALSE(s.named("www", "west", killed));
    nothing_changed(s, killed);
}

TEST_CASE("L20: health that was too old at one start is too old at the next") {
    Drill s{everything};
    s.runs(5min);
    // given: away for an hour, in which west dies; at the start our own interface is gone and nothing can be
    // seen
    s.kill_daemon();
    s.kill("west");
    s.runs(1h);
    s.world().interface = false;
    s.start();
    s.runs(5min);
    // when: a short restart, and then we can see again
    s.restart(5s);
    auto started = s.now();
    s.runs(1s);
    CHECK(s.endpoint("www", "west").application == Readiness::undecided);
    s.world().interface = true;
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu");
    CHECK(s.count(Change::endpoint_fit, started, "west") == 0);
}

TEST_CASE("L4, L20: a restart in the middle of doubt changes no answer") {
    for (const auto& mode : {"hold", "standby", "on_all_down"}) {
        CAPTURE(mode);
        Drill s{sites(3, {{"www", weighted},
                          {"batch", ordered("east, west, eu")},
                          {"shop", automatic + "on_no_primary: " + mode + "\non_all_down: servfail\n"}})};
        s.runs(1min);
        s.cut_uplink();
        s.runs(5min);
        auto killed = s.now();
        s.restart(40s);
        s.runs(10min);
        nothing_changed(s, killed);
        CHECK(s.count(Change::no_primary_critical) == 0);
        CHECK(s.runbook().runs().empty());
    }
}

TEST_CASE("L20: nor a restart while nothing can be decided") {
    Drill s{everything};
    s.runs(5min);
    s.kill_daemon();
    s.cut_uplink();
    s.runs(10min);
    s.start();
    s.runs(5min);
    for (auto* service : services)
        REQUIRE(s.answers(service) != "SERVFAIL"); // on_all_down applied after 10 s
    auto killed = s.now();
    s.restart(5s);
    s.runs(5min);
    nothing_changed(s, killed);
}

TEST_CASE("L20: who was answered undecided, because silence is doubted, is answered after a restart") {
    Drill s{"node: {datacenter: east}\nself_doubt: {references: [\"tcp://198.51.100.1:53\"]}\n" +
            sites(2, {{"batch", ordered("east, west") + "failback: manual\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("batch") == "west");
    // given: after a long absence all is silent, and then east passes
    s.partition("west");
    s.references(saying::nothing());
    s.restart(10min);
    s.runs(30s);
    s.application_works("east");
    s.runs(2min);
    REQUIRE(s.answers("batch") == "west");
    auto killed = s.now();
    s.restart(20s);
    s.runs(10s);
    CHECK(s.moves("batch", killed) == 0);
}

TEST_CASE("L4, L20: a reload with other checks changes no answer while this node doubts itself") {
    const std::string head =
        "node: {datacenter: east}\nself_doubt: {references: [\"tcp://198.51.100.1:53\"]}\n";
    const std::string yaml = head + sites(3, {{"www", weighted + "on_all_down: servfail\n"}});
    Drill s{yaml};
    s.runs(1min);
    const auto cut = s.cut_uplink();
    s.runs(1min);
    std::string other = yaml;
    other.replace(other.find("/healthz"), 8, "/health");
    s.reload(other);
    s.runs(5min);
    CHECK(s.moves("www", cut) == 0);
    // when the line is back, it is decided by what is seen then
    s.mend_uplink();
    s.runs(1min);
    CHECK(s.moves("www", cut) == 0);
    s.application("west", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "east+eu");
}

TEST_CASE("L19, L20: what an operator takes out after a reload leaves the kept plan at once") {
    const std::string yaml = sites(3, {{"www", weighted}});
    Drill s{yaml};
    s.runs(1min);
    for (auto* site : {"east", "west", "eu"}) s.application(site, saying::nothing());
    std::string other = yaml;
    other.replace(other.find("/healthz"), 8, "/health");
    s.reload(other); // nobody is decided by the other check, and the plan is kept
    s.runs(2s);
    REQUIRE(s.answers("www") == "east+eu+west");
    REQUIRE(s.drain("www", "west", true).accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "east+eu");
}
