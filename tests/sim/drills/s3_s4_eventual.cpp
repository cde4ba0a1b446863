// Two datacenters, an eventually consistent store, both active.
#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;

namespace {

/// Each site's store says how far behind it is, and its log grows by so much from one look to the next.
void tells(Story& s, const std::string& site, std::uint64_t position, Duration lag) {
    s.store_reports(site, {.read_only = false, .position = position, .lag = lag});
}

struct Logs {
    std::uint64_t east = 1000, west = 1000;
};

/// A minute in which those that are said to write do.
void minute(Story& s, Logs& at, bool east_writes, bool west_writes, Duration lag) {
    for (int i = 0; i < 30; ++i) {
        at.east += east_writes;
        at.west += west_writes;
        tells(s, "east", at.east, lag);
        tells(s, "west", at.west, lag);
        s.runs(2s);
    }
}

std::string configuration() {
    return sites(2, {{"shop", "policy: weighted\nconsistency: eventual\napplication: web\nstateful: db\n"}});
}

} // namespace

TEST_CASE("S4: the link between the stores is cut: both keep serving, and that they diverge is told with its "
          "duration") {
    Drill s{configuration()};
    Logs at;
    minute(s, at, true, true, 100ms);
    REQUIRE(s.answers("shop") == "east+west");
    auto cut = s.now();
    minute(s, at, true, true, 1h);
    CHECK(s.answers("shop") == "east+west");
    CHECK(s.moves("shop", cut) == 0);
    CHECK(s.count(Change::diverging, cut) == 1);
    CHECK(s.alarm("diverging"));
    CHECK(s.report("shop").state == "diverging");
    REQUIRE(s.report("shop").diverging_since);
    const auto since = *s.report("shop").diverging_since;
    SUBCASE("a restart does not begin the time anew") {
        s.restart(5s);
        minute(s, at, true, true, 1h);
        CHECK(s.report("shop").diverging_since == since);
        CHECK(s.count(Change::diverging, cut) == 1);
    }
    SUBCASE("only one side is written any more") {
        minute(s, at, true, false, 1h);
        CHECK_FALSE(s.alarm("diverging"));
        CHECK(s.count(Change::diverging_over, cut) == 1);
    }
    SUBCASE("the link is back") {
        minute(s, at, true, true, 100ms);
        CHECK_FALSE(s.alarm("diverging"));
        CHECK(s.count(Change::diverging_over, cut) == 1);
    }
}

TEST_CASE("S4: a cut link alone is no divergence: nobody writes, or one side only") {
    Drill s{configuration()};
    Logs at;
    minute(s, at, true, true, 100ms);
    minute(s, at, false, true, 1h);
    minute(s, at, false, false, 1h);
    CHECK(s.count(Change::diverging) == 0);
}

TEST_CASE("S3: a datacenter dies: traffic leaves, what is at risk is written down, and it returns once it "
          "has caught up") {
    Drill s{configuration()};
    Logs at;
    minute(s, at, true, true, 3s);
    auto death = s.kill("east");
    s.runs(30s);
    CHECK(s.answers("shop") == "west");
    CHECK_FALSE(s.named("shop", "east", death + 10s));
    const auto fault = s.report("shop").fault;
    REQUIRE(fault);
    CHECK(fault->datacenter == "east");
    CHECK(fault->lag == 3s);
    auto back = s.revive("east");
    minute(s, at, true, true, 1h); // it is there, and far behind
    minute(s, at, true, true, 1h);
    CHECK_FALSE(s.named("shop", "east", back));
    minute(s, at, true, true, 1s);
    minute(s, at, true, true, 1s);
    CHECK(s.answers("shop") == "east+west");
}

TEST_CASE("L1, L20: a restart takes out nobody who serves while its store lags, and lets nobody back in") {
    Drill s{configuration()};
    Logs at;
    minute(s, at, true, true, 100ms);
    SUBCASE("it served") {
        minute(s, at, true, true, 1h);
        REQUIRE(s.answers("shop") == "east+west");
        const auto before = s.now();
        s.restart(5s);
        minute(s, at, true, true, 1h);
        CHECK(s.answers("shop") == "east+west");
        CHECK(s.count(Change::endpoint_unfit, before) == 0);
        CHECK(s.moves("shop", before) == 0);
    }
    SUBCASE("it had failed, and is back") {
        s.kill("east");
        s.runs(30s);
        const auto back = s.revive("east");
        minute(s, at, true, true, 1h);
        s.restart(5s);
        minute(s, at, true, true, 1h);
        CHECK(s.answers("shop") == "west");
        CHECK_FALSE(s.named("shop", "east", back));
    }
}
