#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("TTL: long while all is quiet, short from the first failed probe until it has been quiet as long") {
    Drill s{sites(2, {{"www", weighted + "ttl: {min: 5s, max: 30s}\n"}})};
    s.runs(2min);
    REQUIRE(s.ttl("www") == 30);
    // when one look fails, long before anything is DOWN
    auto fault = s.application("east", saying::refused());
    REQUIRE(s.runs_until([&] { return s.ttl("www") == 5; }, 10s));
    CHECK(s.now() - fault <= 2s + 10ms + 10ms);
    CHECK(s.count(Change::member_down) == 0);
    // and when it works again at once: nothing was DOWN, and the long TTL returns after 30 quiet seconds
    auto back = s.application_works("east");
    REQUIRE(s.runs_until([&] { return s.ttl("www") == 30; }, 2min));
    CHECK(s.now() - back >= 30s);
    CHECK(s.now() - back <= 30s + 2s + 1s);
    CHECK(s.moves("www", fault) == 0);
}

TEST_CASE("TTL: short for as long as a site is DOWN and on its way back") {
    Drill s{sites(2, {{"shop", follow + "ttl: {min: 5s, max: 30s}\n"}})};
    s.runs(2min);
    REQUIRE(s.ttl("shop") == 30);
    s.kill("east");
    s.runs(1h);
    CHECK(s.ttl("shop") == 5); // held: no primary
    s.database("west").promote();
    s.runs(10s);
    CHECK(s.answers("shop") == "west");
    CHECK(s.ttl("shop") == 5);
}
