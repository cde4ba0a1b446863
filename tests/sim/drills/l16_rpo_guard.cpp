#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("D6, L16: an idle primary does not look like lag") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    s.database_of("shop").write(0);
    s.runs(a_quiet_day());
    REQUIRE(s.endpoint("shop", "west").lag);
    CHECK(*s.endpoint("shop", "west").lag == 0s);
    // and a failover after a quiet day is not held back
    s.kill("east");
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
}

TEST_CASE(
    "D6, L16: a standby behind by less than max_lag is promoted, one behind by more waits for a person") {
    for (auto lag : {5s, 30s}) {
        CAPTURE(lag.count());
        Drill s{sites(2, {{"shop", automatic}})};
        s.database("west").lags(lag);
        s.runs(5min);
        REQUIRE(s.endpoint("shop", "west").lag);
        auto seen = *s.endpoint("shop", "west").lag;
        CHECK(seen >= lag - 2s - 50ms); // as of samples up to an interval apart
        CHECK(seen <= lag + 4s + 50ms);
        auto death = s.kill("east");
        s.runs(1min);
        if (lag < 10s) {
            CHECK(s.runbook().text() == "fence east, promote west");
            CHECK(s.answers("shop") == "west");
            continue;
        }
        // then: held, and the approval says what is at risk
        CHECK(s.runbook().text().find("promote") == std::string::npos);
        CHECK(s.answers("shop") == "east");
        CHECK(s.critical("shop", death));
        auto id = s.waiting_switch("shop");
        REQUIRE_FALSE(id.empty());
        auto shown = s.all(Change::switch_waiting, death);
        REQUIRE_FALSE(shown.empty());
        CHECK(shown.back().what.transition.reason.find("lag") != std::string::npos);
        // and a person may take it
        CHECK(s.approve(id).accepted);
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
    }
}

TEST_CASE("L16: lag is reckoned to the primary's last sample, never to now: waiting does not make it grow") {
    Drill s{sites(2, {{"shop", by_approval}})};
    s.database("west").lags(3s);
    s.runs(5min);
    s.kill("east");
    s.runs(a_quiet_day());
    REQUIRE(s.endpoint("shop", "west").lag);
    CHECK(*s.endpoint("shop", "west").lag <= 3s + 4s);
}

TEST_CASE("D6, L16: without max_lag nothing is promoted automatically") {
    auto yaml = sites(
        2, {{"shop", "policy: {type: active_passive, follow: primary}\napplication: web\n"
                     "stateful: {name: plain, type: postgres, port: 5432, user: fairway, dbname: postgres}\n"
                     "failover: automatic\n" +
                         hooks}});
    Drill s{yaml};
    s.runs(1min);
    s.kill("east");
    s.runs(1h);
    CHECK(s.runbook().text().find("promote") == std::string::npos);
    CHECK(s.answers("shop") == "east");
    CHECK_FALSE(s.waiting_switch("shop").empty());
}

TEST_CASE("D6, L16: a sample that is not fresh guards nothing: a standby unseen since long before the fault "
          "is not promoted") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.runs(1min);
    // given: for ten minutes nothing is heard of west's database, while the primary goes on writing
    s.world().cut("east", "west");
    s.database("west").freeze();
    s.runs(10min);
    // when the primary dies, and the standby answers again just then
    s.database("west").recover();
    auto death = s.kill("east");
    s.runs(5min);
    // then it is ten minutes behind, and that is known
    CHECK(s.runbook().text().find("promote") == std::string::npos);
    CHECK(s.answers("shop") == "east");
    CHECK(s.critical("shop", death));
}

TEST_CASE("L16: the guard never holds traffic back from a primary that exists") {
    Drill s{sites(2, {{"shop", automatic}})};
    s.database("west").lags(10min);
    s.runs(20min);
    s.database("east").crash();
    s.database("west").promote(); // by hand, ten minutes of data lost
    s.runs(30s);
    CHECK(s.answers("shop") == "west");
}
