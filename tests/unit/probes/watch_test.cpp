#include "probes/watch.hpp"

#include "probes/async/wait.hpp"
#include "probes/monitor.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace fairway;
using namespace fairway::probes;

namespace {

const SocketAddress here{IpAddress::parse("192.0.2.1").value(), 80};
const SocketAddress there{IpAddress::parse("192.0.2.2").value(), 80};

/// A process that listens, or does not, and the member that watches it.
struct Scene {
    VirtualLoop loop;
    bool alive = true;
    Duration takes = 0s;          // a look
    Duration patience = 1000h;    // of the server with idle connections
    bool room = true;             // for a connection of ours
    SocketAddress address = here; // looked at
    unsigned open = 0;
    std::vector<Instant> opened;
    std::vector<SocketAddress> opened_to;
    std::vector<Observation> seen;
    std::optional<Alarm> end{loop};
    std::unique_ptr<Monitor> monitor;
    std::unique_ptr<Watch> watch;

    Task<Finding> look(Reason&) {
        co_await sleep(loop, takes);
        co_return alive ? pass() : because(Reason::refused, "refused");
    }
    Task<bool> hold(SocketAddress to) {
        struct Open {
            unsigned& n;
            explicit Open(unsigned& count) : n(count) { ++n; }
            ~Open() { --n; }
        };
        if (!room) co_return false;
        opened.push_back(loop.now().mono);
        opened_to.push_back(to);
        const Open one(open);
        const Instant closes = loop.now().mono + patience;
        co_await end->until(closes);
        co_return true;
    }
    explicit Scene(MemberId id = 1, bool watching = true) {
        const auto check = std::make_shared<const Check>(Check{"web", TcpCheck{}, {}, {}, {}, true});
        monitor = std::make_unique<Monitor>(
            loop, id, check, [this](Reason& silence) { return look(silence); },
            [this](Observation o) {
                if (watch) watch->seen(o.outcome, address);
                seen.push_back(std::move(o));
            },
            0s);
        if (!watching) return;
        watch = std::make_unique<Watch>(
            loop, check->timing.interval, [this](SocketAddress to) { return hold(to); },
            [this] { monitor->look_now(); });
    }
    void die() {
        alive = false;
        end->ring();
    }
    std::size_t fails() const {
        return static_cast<std::size_t>(std::count_if(
            seen.begin(), seen.end(), [](const auto& o) { return o.outcome == Outcome::fail; }));
    }
};

std::size_t looks_in_ten_minutes(Duration patience, bool watching) {
    Scene s(1, watching);
    s.patience = patience;
    s.loop.advance(600s);
    CHECK(s.fails() == 0);
    return s.seen.size();
}

} // namespace

TEST_CASE("watch: a dead process has failed three times within 1 s with defaults (H2)") {
    std::vector<Duration> times;
    for (int phase = 0; phase < 200; ++phase) {
        Scene s(static_cast<MemberId>(phase));
        s.takes = 20ms;
        s.loop.advance(20s + phase * 11ms);
        const Instant died = s.loop.now().mono;
        s.die();
        s.loop.advance(1s);
        REQUIRE(s.fails() >= 3);
        const auto last = std::find_if(s.seen.begin(), s.seen.end(),
                                       [](const auto& o) { return o.outcome == Outcome::fail; }) +
                          2;
        times.push_back(last->ended - died);
    }
    std::sort(times.begin(), times.end());
    MESSAGE("best " << brief(times.front()) << ", median " << brief(times[times.size() / 2]) << ", worst "
                    << brief(times.back()) << " of 200 phases");
    CHECK(times.back() <= 560ms);  // two re-tests and three looks
    CHECK(times.front() >= 250ms); // one of the three was under way
}

TEST_CASE("watch: a server that ends idle connections each minute costs one look a minute") {
    const std::size_t without = looks_in_ten_minutes(60s, false);
    const std::size_t with = looks_in_ten_minutes(60s, true);
    CHECK(with >= without);
    CHECK(with <= without + 10);
}

TEST_CASE("watch: an orderly end is one look at once, and no failure (L2)") {
    Scene s;
    s.loop.advance(10'300ms);
    const std::size_t before = s.seen.size();
    s.end->ring();
    s.loop.advance(0s);
    REQUIRE(s.seen.size() == before + 1);
    CHECK(s.seen.back().begun - Instant{} == 10'300ms);
    CHECK(s.seen.back().outcome == Outcome::pass);
    CHECK(s.open == 1); // anew, after that passing look
    s.loop.advance(1700ms);
    CHECK(s.seen.size() == before + 1);
}

TEST_CASE("watch: whatever a server does with connections, at most one look more an interval") {
    Scene s;
    s.patience = 0s;
    s.loop.advance(600s);
    CHECK(s.fails() == 0);
    CHECK(s.opened.size() > 100); // it is tried on
    for (std::size_t i = 1; i < s.opened.size(); ++i) CHECK(s.opened[i] - s.opened[i - 1] >= 2s);
    for (std::size_t i = 3; i < s.seen.size(); ++i) CHECK(s.seen[i].begun - s.seen[i - 3].begun >= 1800ms);
}

TEST_CASE("watch: closed while looks fail, opened again only after one that passes") {
    Scene s;
    s.loop.advance(10s);
    CHECK(s.open == 1);
    s.alive = false; // it refuses, but keeps what is established, as a server that is shut down does
    s.loop.advance(3s);
    CHECK(s.open == 0);
    s.loop.advance(60s);
    CHECK(s.opened.size() == 1);
    s.alive = true;
    s.loop.advance(2s);
    CHECK(s.open == 1);
    CHECK(s.opened.size() == 2);
}

TEST_CASE("watch: an end during a look is looked at right after it") {
    Scene s;
    s.takes = 300ms;
    s.loop.advance(10s);
    const std::size_t before = s.seen.size();
    while (s.seen.size() == before) s.loop.advance(10ms);
    s.loop.advance(s.seen.back().begun + 2s - s.loop.now().mono); // within the next look
    const std::size_t begun = s.seen.size();
    s.end->ring();
    s.loop.advance(600ms);
    REQUIRE(s.seen.size() >= begun + 2);
    CHECK(s.seen[begun + 1].begun == s.seen[begun].ended);
}

TEST_CASE("watch: it follows the address that passes") {
    Scene s;
    s.loop.advance(10s);
    s.address = there;
    s.loop.advance(5s);
    CHECK(s.open == 1);
    CHECK(s.opened_to == std::vector{here, there});
}

TEST_CASE("watch: what keeps us from opening a connection says nothing about the target") {
    Scene with, without(1, false);
    with.room = false;
    with.loop.advance(60s);
    without.loop.advance(60s);
    CHECK(with.seen.size() == without.seen.size());
}

TEST_CASE("watch: ending it closes the connection and asks for nothing") {
    Scene s;
    s.loop.advance(10s);
    CHECK(s.open == 1);
    const std::size_t before = s.seen.size();
    s.watch.reset();
    CHECK(s.open == 0);
    s.loop.advance(0s);
    CHECK(s.seen.size() == before);
}
