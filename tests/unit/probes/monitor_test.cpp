#include "probes/monitor.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace fairway;
using namespace fairway::probes;

namespace {

/// A member whose behaviour a test scripts, and all the looks at it.
struct Scene {
    VirtualLoop loop;
    CheckPtr check;
    std::function<Finding()> says = [] { return pass(); };
    Duration takes = 0s; // longer than the timeout: silence
    unsigned open = 0, most_open = 0;
    std::vector<Observation> seen;
    std::unique_ptr<Monitor> monitor;

    explicit Scene(CheckTiming timing = {}) {
        Check c;
        c.name = "web";
        c.kind = TcpCheck{};
        c.timing = timing;
        check = std::make_shared<const Check>(c);
    }
    Task<Finding> look(Reason& silence) {
        struct Open {
            Scene& s;
            explicit Open(Scene& scene) : s(scene) { s.most_open = std::max(s.most_open, ++s.open); }
            ~Open() { --s.open; }
        };
        const Open one(*this);
        silence = Reason::timeout_first_byte;
        co_await sleep(loop, takes);
        co_return says();
    }
    void start(MemberId id = 1, Duration first = 0s) {
        monitor = std::make_unique<Monitor>(
            loop, id, check, [this](Reason& silence) { return look(silence); },
            [this](Observation o) { seen.push_back(std::move(o)); }, first);
    }
    Duration begun(std::size_t i) const { return seen[i].begun - Instant{}; }
    Duration ended(std::size_t i) const { return seen[i].ended - Instant{}; }
};

Finding refusal() { return because(Reason::refused, "refused"); }

} // namespace

TEST_CASE("intervals run start to start and jitter only shortens, by at most a tenth") {
    Scene s;
    s.takes = 500ms;
    s.start();
    s.loop.advance(400s);
    REQUIRE(s.seen.size() > 200);
    Duration shortest = 1h, longest = 0s;
    for (std::size_t i = 1; i < s.seen.size(); ++i) {
        const Duration gap = s.begun(i) - s.begun(i - 1);
        shortest = std::min(shortest, gap);
        longest = std::max(longest, gap);
    }
    CHECK(shortest >= 1800ms);
    CHECK(longest <= 2s);
    CHECK(longest - shortest > 150ms); // it does jitter
    CHECK(s.most_open == 1);
}

TEST_CASE("looks begin at a grid of 10 ms, so that those of many members are answered together (H10)") {
    Scene s;
    s.takes = 3ms;
    s.start(7);
    s.loop.advance(60s);
    REQUIRE(s.seen.size() > 25);
    for (std::size_t i = 1; i < s.seen.size(); ++i) CHECK(s.begun(i) % 10ms == 0s);
}

TEST_CASE("a refusal is seen three times within an interval and two re-tests (H2)") {
    Duration worst{};
    for (int phase = 0; phase < 100; ++phase) {
        Scene s;
        s.start(static_cast<MemberId>(phase));
        s.loop.advance(10s + phase * 20ms);
        const Duration fault = s.loop.elapsed();
        const std::size_t before = s.seen.size();
        s.says = refusal;
        s.loop.advance(3s);
        REQUIRE(s.seen.size() >= before + 3);
        CHECK(s.begun(before + 1) - s.ended(before) == 250ms);
        CHECK(s.begun(before + 2) - s.ended(before + 1) == 250ms);
        worst = std::max(worst, s.ended(before + 2) - fault);
    }
    MESSAGE("worst of 100 phases: " << brief(worst));
    CHECK(worst <= 2500ms);
    CHECK(worst > 2s);
}

TEST_CASE("silence is three timeouts and two re-tests, at most 9 s after the fault (H2)") {
    Scene s;
    s.start();
    s.loop.advance(1ms); // just after a look
    const Duration fault = s.loop.elapsed();
    s.takes = 1h;
    s.loop.advance(9s);
    REQUIRE(s.seen.size() >= 4);
    for (std::size_t i = 1; i <= 3; ++i) {
        CHECK(s.seen[i].outcome == Outcome::fail);
        CHECK(s.seen[i].reason == Reason::timeout_first_byte);
        CHECK(s.ended(i) - s.begun(i) == 2s);
    }
    CHECK(s.begun(2) - s.ended(1) == 250ms);
    CHECK(s.begun(3) - s.ended(2) == 250ms);
    CHECK(s.ended(3) - fault <= 8500ms);
}

TEST_CASE("below `fall` looks are quick, from then on the interval holds") {
    Scene s;
    s.says = refusal;
    s.start();
    s.loop.advance(20s);
    REQUIRE(s.seen.size() > 6);
    CHECK(s.begun(3) - s.begun(2) >= 1800ms);
    CHECK(s.begun(4) - s.begun(3) >= 1800ms);
}

TEST_CASE("a look that outlasts its interval is followed at once, never overlapped") {
    CheckTiming t;
    t.interval = 1s;
    t.timeout = 5s;
    t.fall = 1;
    Scene s(t);
    s.takes = 3s;
    s.start();
    s.loop.advance(30s);
    CHECK(s.most_open == 1);
    CHECK(s.begun(1) == s.ended(0));
    CHECK(s.seen[1].outcome == Outcome::pass);
}

TEST_CASE("look now: at once if idle, right after a look that began earlier, not twice at one moment") {
    Scene s;
    s.takes = 100ms;
    s.start();
    s.loop.advance(1s);
    REQUIRE(s.seen.size() == 1);

    s.monitor->look_now();
    s.loop.advance(50ms); // the look of 1 s is under way
    s.monitor->look_now();
    s.loop.advance(150ms);
    REQUIRE(s.seen.size() == 3);
    CHECK(s.begun(1) == 1s);
    CHECK(s.begun(2) == 1100ms);

    s.loop.advance(1s);
    CHECK(s.seen.size() == 3); // the wish is used up
}

TEST_CASE("a look cut short by our own lateness is unknown, not silence (H10)") {
    Scene s;
    s.takes = 2500ms;
    s.start();
    s.loop.advance(1s);
    s.loop.stall(3s); // stopped across the time limit
    s.loop.advance(0s);
    REQUIRE(s.seen.size() == 1);
    CHECK(s.seen[0].outcome == Outcome::unknown);
    CHECK(s.seen[0].reason == Reason::local_limit);
}

TEST_CASE(
    "after a stall members are passed over as unknown and spread anew, not looked at all at once (H10)") {
    std::vector<Duration> next;
    for (MemberId id = 0; id < 20; ++id) {
        Scene s;
        s.start(id);
        s.loop.advance(1ms);
        s.loop.stall(30s);
        s.loop.advance(2s);
        REQUIRE(s.seen.size() >= 3);
        CHECK(s.seen[1].outcome == Outcome::unknown);
        CHECK(s.seen[1].reason == Reason::local_limit);
        CHECK(s.seen[2].outcome == Outcome::pass);
        next.push_back(s.begun(2) - s.begun(1));
    }
    std::sort(next.begin(), next.end());
    CHECK(next.front() < 500ms);
    CHECK(next.back() > 1500ms);
}

TEST_CASE("an exception in a check is our own fault") {
    Scene s;
    s.says = []() -> Finding { throw std::runtime_error("oh"); };
    s.start();
    s.loop.advance(1ms);
    REQUIRE(s.seen.size() == 1);
    CHECK(s.seen[0].outcome == Outcome::unknown);
    CHECK(s.seen[0].reason == Reason::internal);
    CHECK(s.seen[0].detail == "oh");
}

TEST_CASE("a gained primary role is looked at once more, quickly") {
    Scene s;
    Role role = Role::standby;
    s.says = [&role] {
        Facts f;
        f.role = role;
        return pass("", f);
    };
    s.start();
    s.loop.advance(5s);
    const std::size_t before = s.seen.size();
    role = Role::primary;
    s.loop.advance(5s);
    REQUIRE(s.seen.size() > before + 2);
    CHECK(s.begun(before + 1) - s.ended(before) == 250ms);
    CHECK(s.begun(before + 2) - s.begun(before + 1) >= 1800ms);
}

TEST_CASE("ending a monitor ends the look under way") {
    Scene s;
    s.takes = 1s;
    s.start();
    s.loop.advance(500ms);
    CHECK(s.open == 1);
    s.monitor.reset();
    CHECK(s.open == 0);
    s.loop.advance(10s);
    CHECK(s.seen.empty());
}
