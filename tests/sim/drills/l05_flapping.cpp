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

namespace {

/// Falls and comes back twice: would return a second time, and is held.
void flap_twice(Drill& s, const std::string& site) {
    for (int i = 0; i < 2; ++i) {
        s.application(site, saying::refused());
        s.runs(10s);
        s.application_works(site);
        s.runs(1min);
    }
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

TEST_CASE("L5, L12: the site a latch holds does not return: it is not left because it flapped") {
    for (std::string more : {"", "hooks: {promote: {exec: [/srv/promote]}}\n"}) {
        Drill s{sites(2, {{"batch", ordered("east, west") + "failover: approval\n" + more}})};
        s.runs(1min);
        flap_twice(s, "east");
        CHECK(s.answers("batch") == "east");
        CHECK(s.runbook().runs().empty());
    }
}

TEST_CASE("L5, L12: a person moves to a suppressed site, and it stays there") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failover: approval\nfailback: manual\n"}})};
    s.runs(1min);
    flap_twice(s, "west");
    REQUIRE(s.endpoint("batch", "west").suppressed);
    s.application("east", saying::refused());
    s.runs(10s);
    s.approve(s.waiting_switch("batch"));
    s.runs(10s);
    REQUIRE(s.answers("batch") == "west");
    s.application_works("east");
    s.runs(1h);
    CHECK(s.answers("batch") == "west");
}

TEST_CASE("L5: one address that flaps for ever does not keep its endpoint out for ever") {
    Drill s{sites_with(2, {"www", weighted},
                       "east: {addresses: [10.1.0.1, 10.1.0.2]}\nwest: {addresses: [10.2.0.1]}\n")};
    s.runs(1min);
    flap_twice(s, "east");
    REQUIRE(s.endpoint("www", "east").suppressed);
    flaps(s, "10.1.0.2:8080", 5min, 0.03);
    s.runs(11min);
    CHECK(s.answers("www") == "east+west");
}

TEST_CASE("L5: a requirement that comes and goes is a flap as well") {
    Drill s{sites(3, {{"api", "policy: weighted\napplication: web\nstateful: db\n"}})};
    for (auto* site : {"east", "west", "eu"}) s.store_reports(site, {.quorum = true});
    s.runs(1min);
    Moment begin = s.now();
    for (int i = 0; i < 20; ++i) {
        s.store_reports("east", {.quorum = false});
        s.runs(20s);
        s.store_reports("east", {.quorum = true});
        s.runs(70s);
    }
    CHECK(s.moves("api", begin) <= 4);
}

TEST_CASE("L19: a suppressed site that answers for want of another is the last usable one") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    flap_twice(s, "east");
    s.kill("west");
    s.runs(1min);
    REQUIRE(s.answers("www") == "east");
    CHECK_FALSE(s.drain("www", "east").accepted);
    CHECK(s.answers("www") == "east");
}

TEST_CASE("L19, L5: force-up brings a suppressed site back, and a failing one that has flapped") {
    for (bool failing : {false, true}) {
        Drill s{sites(2, {{"www", weighted}})};
        s.runs(1min);
        flap_twice(s, "east");
        if (failing) {
            s.application("east", saying::refused());
            s.runs(10s);
        }
        REQUIRE(s.answers("www") == "west");
        REQUIRE(s.sets(policies::Override::Kind::force_up, "www", "east").accepted);
        s.runs(1min);
        CHECK(s.answers("www") == "east+west");
        CHECK(s.count(Change::endpoint_suppressed) == 1);
    }
}

TEST_CASE(
    "L19, L10: a suppressed site passes and would be used at once: the other is not the last usable one") {
    Drill s{sites(2, {{"www", weighted}})};
    s.runs(1min);
    flap_twice(s, "east");
    REQUIRE(s.answers("www") == "west");
    CHECK(s.loses("west", 1min).accepted);
    s.runs(2min);
    flap_twice(s, "east");
    REQUIRE(s.answers("www") == "west");
    CHECK(s.drain("www", "west").accepted);
    s.runs(1s);
    CHECK(s.answers("www") == "east");
}
