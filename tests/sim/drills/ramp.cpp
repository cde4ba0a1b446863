#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

const std::string ramped = weighted + "ramp: {steps: [10%, 50%], hold: 60s}\n";

double share(const Drill& s, const std::string& site) { return s.endpoint("www", site).share * 100; }

bool failing(const Drill& s) {
    return std::ranges::any_of(s.report().members, [](auto& m) { return m.fails > 0; });
}

/// East is out for a while and fit again: the moment it is.
Moment returns(Drill& s) {
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("www") == "west");
    s.application_works("east");
    REQUIRE(s.runs_until([&] { return s.answers("www") == "east+west"; }, 2min));
    return s.now();
}

} // namespace

TEST_CASE("P12: after a return the share follows the steps, and then is whole") {
    Drill s{sites(2, {{"www", ramped}})};
    auto back = returns(s);
    CHECK(share(s, "east") == doctest::Approx(5).epsilon(0.01));
    s.runs(59s);
    CHECK(share(s, "east") == doctest::Approx(5).epsilon(0.01));
    s.runs(2s);
    CHECK(share(s, "east") == doctest::Approx(25).epsilon(0.01));
    s.runs(60s);
    CHECK(share(s, "east") == doctest::Approx(50).epsilon(0.01));
    CHECK(s.now() - back < 2min + 5s);
    // and it is no return that was none: a site that never left has its whole share from the start
    CHECK(share(s, "west") == doctest::Approx(50).epsilon(0.01));
}

TEST_CASE("P12: while a check of it is not well its ramp does not go on") {
    Drill s{sites(2, {{"www", ramped}})};
    returns(s);
    for (int i = 0; i < 20; ++i) { // one look fails every 40 s: never DOWN, never calm for a step
        s.runs(38s);
        s.application("east", saying::refused());
        REQUIRE(s.runs_until([&] { return failing(s); }, 3s));
        s.application_works("east");
    }
    CHECK(share(s, "east") < 6);
    s.runs(3min);
    CHECK(share(s, "east") == doctest::Approx(50).epsilon(0.01));
}

TEST_CASE("P12: where the nearest answers, too, who returned has its clients step by step") {
    for (const std::string policy : {"latency", "geo"}) {
        CAPTURE(policy);
        Drill s{sites(2, {{"www", "policy: " + policy +
                                      "\napplication: web\nramp: {steps: [10%, 50%], hold: 60s}\n"}})};
        s.runs(1min);
        REQUIRE(share(s, "east") == doctest::Approx(100));
        s.application("east", saying::refused());
        s.runs(1min);
        REQUIRE(share(s, "west") == doctest::Approx(100));
        s.application_works("east");
        REQUIRE(s.runs_until([&] { return share(s, "east") > 0; }, 2min));
        CHECK(share(s, "east") == doctest::Approx(10));
        CHECK(share(s, "west") == doctest::Approx(90));
        s.runs(61s);
        CHECK(share(s, "east") == doctest::Approx(50));
        s.runs(60s);
        CHECK(share(s, "east") == doctest::Approx(100));
        // and the last that lives has everybody
        s.application("west", saying::refused());
        s.runs(1min);
        s.application("east", saying::refused());
        s.runs(1min);
        s.application_works("east");
        s.runs_until([&] { return s.endpoint("www", "east").fit; }, 2min);
        CHECK(share(s, "east") == doctest::Approx(100));
    }
}

TEST_CASE("P12: active/passive has one site: a failback moves everybody") {
    Drill s{sites(2, {{"www", ordered("east, west") + "failback: auto\nramp: {steps: [10%], hold: 60s}\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    REQUIRE(s.answers("www") == "west");
    s.application_works("east");
    REQUIRE(s.runs_until([&] { return share(s, "east") > 0; }, 2min));
    CHECK(share(s, "east") == doctest::Approx(100));
}

TEST_CASE("P12, L10: a ramp never holds the last living site back") {
    Drill s{sites(2, {{"www", ramped}})};
    returns(s);
    s.application("west", saying::refused());
    s.runs(90s);
    CHECK(s.answers("www") == "east");
    CHECK(share(s, "east") == doctest::Approx(100));
}

TEST_CASE("L20, P12: a short restart in the middle of a ramp changes no share") {
    Drill s{sites(2, {{"www", ramped}})};
    returns(s);
    s.runs(70s);
    REQUIRE(share(s, "east") == doctest::Approx(25).epsilon(0.01));
    s.restart(20s);
    s.runs(5s);
    CHECK(share(s, "east") == doctest::Approx(25).epsilon(0.01));
    s.runs(90s);
    CHECK(share(s, "east") == doctest::Approx(50).epsilon(0.01));
}

TEST_CASE("P8: lost_share next hands the lost share to the next site alone") {
    Drill s{sites(3, {{"www", weighted + "failover: {lost_share: next}\n"}})};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    CHECK(share(s, "west") == doctest::Approx(66.7).epsilon(0.01));
    CHECK(share(s, "eu") == doctest::Approx(33.3).epsilon(0.01));
}
