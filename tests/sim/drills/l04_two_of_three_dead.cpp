#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H6, L4: two datacenters of three are dead and the node stands outside: failover happens") {
    Drill s{sites(3, {{"www", ordered("east, west, eu")}})};
    s.runs(1min);
    auto death = s.kill("east");
    s.kill("west");
    s.runs(1min);
    CHECK(s.answers("www") == "eu");
    CHECK_FALSE(s.named("www", "east", death + 9s + 2s + 10ms));
    CHECK(s.count(Change::self_doubt) == 0);
}

TEST_CASE("H6, L4: two of three dead, the node inside the third, references answer: failover happens") {
    Drill s{sites(3, {{"www", ordered("east, west, eu")}}, "node: {datacenter: eu}\n" + with_references)};
    s.runs(1min);
    auto death = s.kill("east");
    s.kill("west");
    s.runs(1min);
    CHECK(s.answers("www") == "eu");
    CHECK_FALSE(s.named("www", "east", death + 9s + 2s + 10ms));
    CHECK(s.count(Change::self_doubt) == 0);
}

TEST_CASE("L4: a node inside one of three without references cannot tell, and says so by holding still") {
    // check-config warns of exactly this
    Drill s{sites(3, {{"www", ordered("east, west, eu")}}, "node: {datacenter: eu}\n")};
    s.runs(1min);
    s.kill("east");
    s.kill("west");
    s.runs(5min);
    CHECK(s.count(Change::member_down) == 0);
    CHECK(s.alarm("self_doubt"));
    CHECK(s.answers("www") == "east");
}

TEST_CASE("L4: a single foreign datacenter and no references: no doubt, act") {
    Drill s{sites(2, {{"www", ordered("west, east")}}, "node: {datacenter: east}\n")};
    s.runs(1min);
    auto death = s.kill("west");
    s.runs(1min);
    CHECK(s.answers("www") == "east");
    CHECK_FALSE(s.named("www", "west", death + 9s + 2s + 10ms));
    CHECK(s.count(Change::self_doubt) == 0);
}

TEST_CASE("L4: a single foreign datacenter with references that are silent too: it is us") {
    Drill s{sites(2, {{"www", ordered("west, east")}}, "node: {datacenter: east}\n" + with_references)};
    s.runs(1min);
    s.cut_uplink();
    s.runs(5min);
    CHECK(s.answers("www") == "west");
    CHECK(s.count(Change::member_down) == 0);
    CHECK(s.alarm("self_doubt"));
}
