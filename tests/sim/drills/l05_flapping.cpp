#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

/// The application of a site fails for `duty` of each `period`, for as long as the story lasts.
void flaps(Story& s, const std::string& address, Duration period, double duty) {
    Moment begin = s.now();
    Duration failing = std::chrono::duration_cast<Duration>(period * duty);
    s.world().target(address).script = [&s, begin, period, failing] {
        return (s.now() - begin) % period < failing ? saying::refused() : Sight{};
    };
}

}

TEST_CASE("H3, L5: whatever the rhythm of a flapping site, its service's answer changes at most four times") {
    std::size_t most = 0;
    for (std::string hold_down : {"0s", "30s"})
        for (Duration period :
             {Duration(2s), Duration(5s), Duration(10s), Duration(20s), Duration(40s), Duration(75s),
              Duration(2min), Duration(4min), Duration(7min), Duration(10min)})
            for (double duty : {0.1, 0.3, 0.5, 0.7, 0.9}) {
                CAPTURE(hold_down);
                CAPTURE(seconds(period));
                CAPTURE(duty);
                std::string yaml = sites(2, {{"www", weighted}});
                auto at = yaml.find("type: http");
                REQUIRE(at != yaml.npos);
                yaml.insert(at + 10, ", hold_down: " + hold_down);
                Drill s{yaml};
                s.runs(1min);
                Moment begin = s.now();
                flaps(s, "10.1.0.1:8080", period, duty);
                s.runs(30min);
                most = std::max(most, s.moves("www", begin));
                CHECK(s.moves("www", begin) <= 4);
            }
    MESSAGE("most answer changes in 30 minutes: " << most);
}

TEST_CASE("L5: a second return within half an hour waits for ten unbroken minutes, and says how long still") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    auto fails_once = [&] {
        s.application("east", saying::refused());
        s.runs(10s);
        CHECK(s.answers("www") == "west");
        s.application_works("east");
    };
    // given: it fell and came back
    fails_once();
    s.runs(1min);
    REQUIRE(s.answers("www") == "east+west");
    // when it falls again
    fails_once();
    s.runs(5min);
    // then it passes, but is held
    CHECK(s.answers("www") == "west");
    CHECK(s.endpoint("www", "east").suppressed);
    CHECK(s.alarm("suppressed"));
    CHECK(s.endpoint("www", "east").reason.find("left") != std::string::npos);
    CHECK(s.count(Change::endpoint_suppressed) == 1);
    // a restart does not forget that
    s.restart();
    s.runs(2min);
    CHECK(s.answers("www") == "west");
    s.runs(4min);
    CHECK(s.answers("www") == "east+west");
    CHECK_FALSE(s.alarm("suppressed"));
}

TEST_CASE("L5: a return after a quiet half hour is a first one again") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    for (int i = 0; i < 3; ++i) {
        s.application("east", saying::refused());
        s.runs(10s);
        s.application_works("east");
        s.runs(1min);
        CHECK(s.answers("www") == "east+west");
        s.runs(31min);
    }
    CHECK(s.count(Change::endpoint_suppressed) == 0);
}

TEST_CASE("L5, L10: the only passing site is never suppressed") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    s.kill("west");
    for (int i = 0; i < 5; ++i) {
        s.application("east", saying::refused());
        s.runs(1min);
        s.application_works("east");
        Moment back = s.now();
        s.runs(1min);
        CHECK(s.answers("www") == "east");
        auto first = s.first("www", "east", back);
        REQUIRE(first);
        CHECK(*first - back < 12s); // rise passes
    }
}

TEST_CASE("L5: a drain is the operator's, not a flap") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    for (int i = 0; i < 3; ++i) {
        REQUIRE(s.drain("www", "east").accepted);
        s.runs(1min);
        REQUIRE(s.undrain("www", "east").accepted);
        s.runs(1s);
        CHECK(s.answers("www") == "east+west");
    }
}
