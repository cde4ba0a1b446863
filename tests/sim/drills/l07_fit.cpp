#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("L7: weight 0 counts as excluded, even when nothing else is fit") {
    Drill s{sites_with(2, {"www", weighted},
                       "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1], weight: 0}\n")};
    s.runs(1min);
    REQUIRE(s.answers("www") == "east");
    s.application("east", saying::refused());
    s.runs(1min);
    CHECK(s.answers("www") == "east"); // as if all were up, of those not excluded
    CHECK_FALSE(s.named("www", "west", {}));
}

TEST_CASE("L7: a site that the order does not name is never answered") {
    Drill s{sites(3, {{"www", ordered("east, west")}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.application("west", saying::refused());
    s.runs(5min);
    CHECK_FALSE(s.named("www", "eu", {}));
}

TEST_CASE("L7, L19: a drained site is left at once, is never answered, and comes back when undrained") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    auto drained = s.now();
    REQUIRE(s.drain("www", "east").accepted);
    s.runs(1h);
    CHECK_FALSE(s.named("www", "east", drained + 10ms));
    CHECK(s.count(Change::override_set) == 1);
    REQUIRE(s.undrain("www", "east").accepted);
    s.runs(10ms);
    CHECK(s.answers("www") == "east+west"); // checks went on: nothing has to be learned again
}

TEST_CASE("L19: a drain ends by itself, and survives a restart until then") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.drain("www", "east", false, 2h).accepted);
    s.runs(1h);
    s.restart(5min);
    s.runs(30min);
    CHECK(s.answers("www") == "west");
    CHECK_FALSE(s.named("www", "east", 2min));
    s.runs(30min);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.count(Change::override_expired) == 1);
}

TEST_CASE("L19: a drain of the last usable site is refused whole, unless forced; then SERVFAIL, never an "
          "excluded site") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    REQUIRE(s.drain("www", "east").accepted);
    s.runs(1min);
    auto refused = s.drain("www", "west");
    CHECK_FALSE(refused.accepted);
    CHECK(s.answers("www") == "west");
    REQUIRE_FALSE(refused.details.empty());
    CHECK(refused.details.front().find("www") != std::string::npos);
    auto forced = s.now();
    CHECK(s.drain("www", "west", true).accepted);
    s.runs(1min);
    CHECK(s.answers("www") == "SERVFAIL");
    CHECK(s.critical("www", forced));
}
