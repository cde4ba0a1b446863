#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
/// Both sites fail within a second, as by a bad deployment, after east alone had been drained away or not.
std::string after_both_fail(const std::string& mode, bool drained_before = false) {
    Drill s{sites(2, {{"www", weighted + (mode.empty() ? "" : "on_all_down: " + mode + "\n")}})};
    s.runs(1min);
    if (drained_before) REQUIRE(s.drain("www", "east").accepted);
    s.runs(1min);
    s.application("east", saying::status(503));
    s.application("west", saying::status(503));
    s.runs(10min);
    CHECK(s.count(Change::all_down) == 1);
    auto answered = s.answers("www");
    // and it ends by itself
    s.application_works("east");
    s.application_works("west");
    s.runs(2min);
    CHECK(s.answers("www") == (drained_before ? "west" : "east+west"));
    CHECK(s.count(Change::all_down_over) == 1);
    return answered;
}
} // namespace

TEST_CASE("P3, L8: as_if_all_up, the default without a stateful tier") {
    CHECK(after_both_fail("") == "east+west");
    CHECK(after_both_fail("as_if_all_up") == "east+west");
}
TEST_CASE("P3, L8: all") { CHECK(after_both_fail("all") == "east+west"); }
TEST_CASE("P3, L8: a fixed answer") { CHECK(after_both_fail("{static: [192.0.2.99]}") == "fixed"); }
TEST_CASE("P3, L8: nodata and servfail, where the operator chose them") {
    CHECK(after_both_fail("nodata") == "NODATA");
    CHECK(after_both_fail("servfail") == "SERVFAIL");
}
TEST_CASE("L8: never one that is excluded") {
    CHECK(after_both_fail("as_if_all_up", true) == "west");
    CHECK(after_both_fail("all", true) == "west");
    CHECK(after_both_fail("last_good", true) == "west");
}

TEST_CASE("P3, L8: last_good is the last plan that had a fit site") {
    Drill s{sites(2, {{"www", weighted + "on_all_down: last_good\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(2min);
    REQUIRE(s.answers("www") == "west");
    s.application("west", saying::refused());
    s.runs(10min);
    CHECK(s.answers("www") == "west");

    SUBCASE("through a restart, however long") {
        s.restart(1h);
        s.runs(1min);
        CHECK(s.answers("www") == "west");
    }
    SUBCASE("less what is excluded since; and if that leaves nothing, as if all were up") {
        REQUIRE(s.drain("www", "west", true).accepted);
        s.runs(1min);
        CHECK(s.answers("www") == "east");
    }
}

TEST_CASE("P5, L8, L9: three of three down at once: nobody is singled out, the alarm comes within a second") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    for (auto* site : {"east", "west", "eu"}) s.application(site, saying::status(500));
    s.runs(1min);
    auto third_down = s.all(Change::member_down).back().at;
    REQUIRE(s.first(Change::all_down));
    CHECK(*s.first(Change::all_down) - third_down <= 1s);
    CHECK(s.answers("www") == "east+eu+west");
}
