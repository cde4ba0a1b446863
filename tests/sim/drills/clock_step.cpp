// The wall clock is set forward or back by an hour. What lasts goes by the clock that never steps: each story
// is told without the step, too, and comes out the same. Hold windows are times of day, and follow the clock.
#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;

namespace {

/// What clients of the service were told, and when; moments that are a second apart are the same.
struct Told {
    std::vector<std::pair<Moment, std::string>> answers;
    explicit Told(const Drill& s, const std::string& service = "shop") {
        for (const Answer& a : s.history(service).all())
            if (answers.empty() || answers.back().second != a.text) answers.emplace_back(a.at, a.text);
    }
    bool operator==(const Told& o) const {
        return std::ranges::equal(answers, o.answers, [](auto& a, auto& b) {
            return a.second == b.second && a.first - b.first < 1s && b.first - a.first < 1s;
        });
    }
};

/// The story, told with the clock set by `step` at `when`; 0: it never is.
using Tale = std::function<Told(std::function<void(Drill&)> at_the_moment)>;

void comes_out_the_same(const Tale& tale) {
    const Told without = tale([](Drill&) {});
    REQUIRE(without.answers.size() >= 3); // SERVFAIL, east, west
    for (const Duration step : {Duration(1h), Duration(-1h)}) {
        CAPTURE(step.count());
        const Told with = tale([&](Drill& s) { s.step_clock(step); });
        CHECK(with == without);
    }
}

const std::string planned =
    "policy: {type: active_passive, follow: primary}\napplication: web\nstateful: db\n"
    "failover: automatic\nttl: {min: 5s, max: 30s}\n" +
    hooks;

} // namespace

TEST_CASE("N8: the clock is set in the midst of a failover: it takes as long as ever") {
    for (const auto& keys : {ordered("east, west"), automatic})
        for (const auto into : {1s, 4s, 8s, 20s})
            comes_out_the_same([&](auto set) {
                Drill s{sites(2, {{"shop", keys}})};
                s.runs(1min);
                s.kill("east");
                s.runs(into);
                set(s);
                s.runs(3min);
                return Told(s);
            });
}

TEST_CASE(
    "N8: the clock is set while a site waits for its hold-down and its failback: it waits as long as ever") {
    for (const auto into : {5s, 20s, 200s})
        comes_out_the_same([&](auto set) {
            Drill s{sites(2, {{"shop", ordered("east, west") + "failback: {mode: delayed, after: 300s}\n"}})};
            s.runs(1min);
            s.application("east", saying::refused());
            s.runs(1min);
            s.application_works("east");
            s.runs(into);
            set(s);
            s.runs(10min);
            return Told(s);
        });
}

TEST_CASE("N8, L17: the clock is set in the midst of a planned switch: each step waits as long as ever") {
    for (const auto into : {2s, 15s, 33s, 40s})
        comes_out_the_same([&](auto set) {
            Drill s{sites(2, {{"shop", planned}})};
            for (auto step : {Hook::Step::fence, Hook::Step::promote}) s.program(step).takes = 5s;
            s.runs(2min);
            REQUIRE(s.move("shop", "west").accepted);
            s.runs(into);
            set(s);
            s.runs(10min);
            CHECK(s.count(Change::switch_done) == 1);
            return Told(s);
        });
}

TEST_CASE("N8, L5, L20: the clock is set, and the daemon restarted: what had begun goes on") {
    comes_out_the_same([&](auto set) {
        Drill s{sites(2, {{"shop", ordered("east, west") + "failback: {mode: delayed, after: 300s}\n"}})};
        s.runs(1min);
        s.application("east", saying::refused());
        s.runs(1min);
        s.application_works("east");
        s.runs(1min);
        set(s);
        s.runs(10s);
        s.restart(2s);
        s.runs(10min);
        Told told(s);
        std::erase_if(told.answers, [](auto& a) { return a.second == "no daemon"; });
        return told;
    });
}

TEST_CASE("N8, L19, P14: the clock is set: a drain and a drill last as long as was said") {
    comes_out_the_same([&](auto set) {
        Drill s{sites(3, {{"shop", weighted}})};
        s.runs(1min);
        REQUIRE(s.drain("shop", "west", false, 30min).accepted);
        s.runs(10min);
        set(s);
        s.runs(40min);
        REQUIRE(s.loses("east", 10min).accepted);
        s.runs(5min);
        set(s);
        s.runs(20min);
        CHECK_FALSE(s.report().drill->running);
        return Told(s);
    });
}

TEST_CASE("hold windows follow the clock at once, whichever way it is set") {
    Drill s{sites(2, {{"batch", ordered("east, west") + "failback: auto\n"}}, // it is 07:00 UTC
                  "rules: {hold_windows: [{when: \"Fri 08:00-Fri 09:00\"}]}\n")};
    s.runs(1min);
    s.application("east", saying::refused());
    s.runs(1min);
    s.step_clock(1h); // into the window
    s.application_works("east");
    s.runs(30min);
    CHECK(s.answers("batch") == "west");
    CHECK(s.alarm("hold_window"));
    SUBCASE("out of it, forward") { s.step_clock(1h); }
    SUBCASE("out of it, back") { s.step_clock(-1h); }
    s.runs(5s);
    CHECK(s.answers("batch") == "east");
    CHECK_FALSE(s.alarm("hold_window"));
}
