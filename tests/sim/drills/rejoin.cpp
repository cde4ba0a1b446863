// After a switch: the site that was left becomes a standby; what its fault may have cost is written down.
#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;

namespace {

const std::string with_rejoin =
    follow +
    "failover: automatic\nhooks: {fence: {exec: [/srv/fence], timeout: 10s}, promote: {exec: [/srv/promote], "
    "timeout: 30s}, rejoin: {exec: [/srv/rejoin], timeout: 60s}}\n";

} // namespace

TEST_CASE("L18: rejoin runs once, when the site that was left answers again, and moves nothing") {
    Drill s{sites(2, {{"shop", with_rejoin}})};
    s.runs(1min);
    s.kill("east");
    s.runs(10min);
    REQUIRE(s.answers("shop") == "west");
    CHECK(s.runbook().text() == "fence east, promote west"); // nothing answers there yet
    // when: power is back; the database is down, as the fence left it
    auto back = s.revive("east");
    s.runs(1min);
    // then
    CHECK(s.runbook().text(back) == "rejoin east");
    CHECK(s.database("east").role() == fairway::Role::standby);
    CHECK(s.database("east").state() == Database::State::running);
    CHECK(s.count(Change::rejoin_started, back) == 1);
    CHECK(s.count(Change::rejoin_ended, back) == 1);
    s.runs(1h);
    CHECK(s.moves("shop", back) == 0);
    CHECK(s.runbook().text(back) == "rejoin east");
}

TEST_CASE(
    "L18: a rejoin that is interrupted by a restart runs again with its id; one that fails is not repeated") {
    Drill s{sites(2, {{"shop", with_rejoin}})};
    s.runs(1min);
    s.kill("east");
    s.runs(2min);
    REQUIRE(s.answers("shop") == "west");
    SUBCASE("interrupted") {
        s.program(fairway::Hook::Step::rejoin).takes = 30s;
        auto back = s.revive("east");
        REQUIRE(s.runs_until([&] { return s.count(Change::rejoin_started, back) == 1; }, 1min));
        s.restart(3s);
        s.runs(5min);
        const auto& runs = s.runbook().runs();
        std::vector<std::string> ids;
        for (const Run& r : runs)
            if (r.step == fairway::Hook::Step::rejoin) ids.push_back(r.id);
        REQUIRE(ids.size() == 2);
        CHECK(ids[0] == ids[1]);
        CHECK(s.database("east").role() == fairway::Role::standby);
    }
    SUBCASE("it fails") {
        s.program(fairway::Hook::Step::rejoin).failure = "exit status 1: no space";
        auto back = s.revive("east");
        s.runs(10min);
        CHECK(s.runbook().text(back).find("rejoin") != std::string::npos);
        CHECK(s.count(Change::rejoin_failed, back) == 1);
        CHECK(s.alarm("rejoin"));
        CHECK(s.moves("shop", back) == 0);
        s.restart(3s);
        s.runs(1min);
        CHECK(s.count(Change::rejoin_started, back) == 1); // nor does a restart repeat it
        s.database("east").rejoin();                       // a person mends it
        s.runs(1min);
        CHECK_FALSE(s.alarm("rejoin"));
    }
}

TEST_CASE("S5: the lag at the fault is written down, as it was before the primary fell silent") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.database("west").lags(4s);
    s.runs(5min);
    s.kill("east");
    s.runs(2min);
    const auto fault = s.report("shop").fault;
    REQUIRE(fault);
    CHECK(fault->datacenter == "east");
    REQUIRE(fault->lag);
    CHECK(*fault->lag >= 2s - 50ms);
    CHECK(*fault->lag <= 8s + 50ms);
    const auto told = s.all(Change::no_primary);
    REQUIRE_FALSE(told.empty());
    CHECK(told.front().what.transition.reason.find("behind it when it failed") != std::string::npos);
    s.restart(5s);
    s.runs(10s);
    REQUIRE(s.report("shop").fault); // durable
    CHECK(s.report("shop").fault->lag == fault->lag);
}

TEST_CASE("maintenance is no news: alarms about what is worked on call nobody, as a drain's do") {
    Drill s{sites(3, {{"web", weighted}})};
    s.runs(1min);
    const auto highest = [&](const std::string& datacenter) {
        auto worst = Severity::info;
        for (const auto& a : s.report().alarms)
            if (a.datacenter == datacenter || a.id == "redundancy_lost") worst = std::max(worst, a.severity);
        return worst;
    };
    const auto loud = [&](Moment since) {
        std::size_t count = 0;
        for (const auto& e : s.journal())
            count += e.at >= since && e.what.transition.severity != Severity::info;
        return count;
    };
    auto kind = Override::Kind::drain;
    SUBCASE("drained") { kind = Override::Kind::drain; }
    SUBCASE("under maintenance") { kind = Override::Kind::maintenance; }
    REQUIRE(s.sets(kind, "", "east").accepted);
    s.runs(10s);
    auto since = s.now();
    s.kill("east");
    s.runs(1min);
    if (kind == Override::Kind::drain) {
        CHECK(loud(since) > 0);
        return;
    }
    CHECK(loud(since) == 0);
    CHECK(highest("east") == Severity::info);
    auto all = s.all(Change::member_down, since);
    REQUIRE_FALSE(all.empty());
    CHECK(all.front().what.transition.reason.starts_with("under maintenance: "));
    // another site's fault is as loud as ever
    auto other = s.kill("west");
    s.runs(1min);
    CHECK(loud(other) > 0);
}
