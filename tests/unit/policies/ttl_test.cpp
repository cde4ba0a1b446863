// The TTL is `max` while nothing is pending, `min` from the first failed probe until all has been quiet for
// `max`.
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Desk quiet_desk() {
    Model m = world(2);
    serve(m, "www", Weighted{}).ttl = {5s, 30s};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(20);
    return d;
}
std::uint32_t ttl(const Desk& d) { return d.engine.plan(0).ttl; }

} // namespace

TEST_CASE("a quiet service answers with the long TTL") { CHECK(ttl(quiet_desk()) == 30); }

TEST_CASE("the first failed probe shortens it, before any verdict") {
    Desk d = quiet_desk();
    d.now_sees("east", Sight::refuse);
    d.beats(1);
    CHECK(d.answer() == "east+west");
    CHECK(ttl(d) == 5);
}

TEST_CASE("a false alarm is over after `max` of quiet") {
    Desk d = quiet_desk();
    d.now_sees("east", Sight::refuse);
    d.beats(1);
    d.now_sees("east", Sight::pass);
    d.pass_time(29s);
    d.look_at_all();
    CHECK(ttl(d) == 5);
    d.pass_time(31s);
    CHECK(ttl(d) == 30);
}

TEST_CASE("a site that stays down is not pending for ever") {
    Desk d = quiet_desk();
    d.now_sees("east", Sight::refuse);
    d.beats(4);
    CHECK(ttl(d) == 5);
    d.beats(30);
    CHECK(ttl(d) == 30);
}

TEST_CASE("a site on its way back is pending") {
    Desk d = quiet_desk();
    d.now_sees("east", Sight::refuse);
    d.beats(40);
    REQUIRE(ttl(d) == 30);
    d.now_sees("east", Sight::pass);
    d.beats(1);
    CHECK(ttl(d) == 5);
    d.beats(14);
    CHECK(ttl(d) == 5);
}

TEST_CASE("one TTL for both is never changed") {
    Model m = world(2);
    serve(m, "www", Weighted{}).ttl = {7s, 7s};
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    d.beats(2);
    CHECK(ttl(d) == 7);
    d.now_sees("east", Sight::refuse);
    d.beats(5);
    CHECK(ttl(d) == 7);
}
