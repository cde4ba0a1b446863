#include "probes/uv_loop.hpp"

#include "probes/async/race.hpp"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace fairway;
using namespace fairway::probes;

TEST_CASE("timers run in order, not before their time, and not once destroyed") {
    UvLoop loop;
    std::vector<int> order;
    const Instant start = loop.now().mono;
    auto c = loop.at(start + 30ms, [&] {
        CHECK(loop.now().mono >= start + 30ms);
        order.push_back(3);
        loop.stop();
    });
    auto a = loop.at(start + 10ms, [&] { order.push_back(1); });
    auto b = loop.at(start + 20ms, [&] { order.push_back(2); });
    auto gone = loop.at(start + 15ms, [&] { order.push_back(9); });
    gone.reset();
    loop.run();
    CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a timer and a watch may be destroyed by their own callback") {
    UvLoop loop;
    std::array<int, 2> pair{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0);
    Loop::HandlePtr timer, watch;
    int seen = 0;
    timer = loop.after(1ms, [&] {
        timer.reset();
        CHECK(write(pair[1], "x", 1) == 1);
    });
    watch = loop.watch(pair[0], Loop::readable, [&](unsigned events) {
        ++seen;
        CHECK(events == Loop::readable);
        watch.reset();
        loop.stop();
    });
    loop.run();
    CHECK(seen == 1);
    watch = loop.watch(pair[0], Loop::readable, [&](unsigned) { // the same descriptor again
        ++seen;
        watch.reset();
        loop.stop();
    });
    loop.run();
    CHECK(seen == 2);
    close(pair[0]);
    close(pair[1]);
}

TEST_CASE("what other threads post runs here, all of it, in each one's order") {
    UvLoop loop;
    constexpr int threads = 4, posts = 5000;
    std::array<int, threads> next{};
    int total = 0;
    std::vector<std::thread> posters;
    for (int t = 0; t < threads; ++t) {
        posters.emplace_back([&, t] {
            for (int i = 0; i < posts; ++i) {
                loop.post([&, t, i] {
                    CHECK(next[static_cast<std::size_t>(t)]++ == i);
                    if (++total == threads * posts) loop.stop();
                });
            }
        });
    }
    loop.run();
    for (std::thread& t : posters) t.join();
    CHECK(total == threads * posts);
}

TEST_CASE("a completion may be set by another thread") {
    UvLoop loop;
    Completion<int> cell(loop);
    int out = 0;
    const auto wait = [](Completion<int>& c, UvLoop& l, int& o) -> Task<void> {
        const int got = co_await c;
        o = got;
        l.stop();
    };
    Task<void> task = wait(cell, loop, out);
    task.start();
    std::thread other([set = cell.setter()] { set(5); });
    loop.run();
    other.join();
    CHECK(out == 5);
}

TEST_CASE("ten thousand timers are no burden, and lag is measured") {
    UvLoop loop;
    std::vector<Loop::HandlePtr> timers;
    int fired = 0;
    for (int i = 0; i < 10'000; ++i) {
        timers.push_back(loop.after(std::chrono::milliseconds(i % 50), [&] {
            if (++fired == 10'000) loop.stop();
        }));
    }
    loop.run();
    CHECK(fired == 10'000);
    auto late = loop.after(1ms, [&] { loop.stop(); });
    std::this_thread::sleep_for(30ms); // stands for a thread that is behind
    loop.run();
    CHECK(loop.lag() >= 25ms);
}

TEST_CASE("signals are callbacks of the loop") {
    UvLoop loop;
    int hups = 0;
    auto on = loop.on_signal(SIGHUP, [&] {
        ++hups;
        loop.stop();
    });
    loop.post([] { kill(getpid(), SIGHUP); });
    loop.run();
    CHECK(hups == 1);
}

TEST_CASE("a loop ends cleanly with things still posted") {
    auto owned = std::make_shared<int>(1);
    {
        UvLoop loop;
        loop.post([owned] {});
        CHECK(owned.use_count() == 2);
    }
    CHECK(owned.use_count() == 1);
}
