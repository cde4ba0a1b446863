#include "probes/async/group.hpp"
#include "probes/async/race.hpp"
#include "probes/async/slots.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace fairway;

namespace {

/// Notes its end: what a cancelled task must reach.
struct Witness {
    int& ends;
    explicit Witness(int& n) : ends(n) {}
    Witness(const Witness&) = delete;
    Witness& operator=(const Witness&) = delete;
    ~Witness() { ++ends; }
};

Task<int> after(Loop& loop, Duration d, int value, int& ends) {
    const Witness w(ends);
    co_await sleep(loop, d);
    co_return value;
}

Task<int> nested(Loop& loop, Duration d, int value, int& ends) {
    const Witness w(ends);
    Task<int> inner = after(loop, d, value, ends);
    const int got = co_await inner;
    co_return got + 1;
}

Task<int> throws_after(Loop& loop, Duration d) {
    co_await sleep(loop, d);
    throw std::runtime_error("no");
}

Task<int> at_once(int value) { co_return value; }

Task<void> keep(Task<int> task, std::string& out) {
    try {
        const int got = co_await task;
        out = std::to_string(got);
    } catch (const std::exception& e) { out = e.what(); }
}

Task<void> wait_for(Completion<int>& cell, int& out) {
    const int got = co_await cell;
    out = got;
}

Task<void> hold_one(Slots& slots, Loop& loop, Duration d, std::string& log, char who) {
    const Slots::Held held = co_await slots.take();
    log += who;
    co_await sleep(loop, d);
}

} // namespace

TEST_CASE("slots: as many at once as there are, the others in their order") {
    VirtualLoop loop;
    Slots slots(loop, 2);
    std::string log;
    std::vector<Task<void>> tasks;
    for (const char who : {'a', 'b', 'c', 'd', 'e'}) {
        tasks.push_back(hold_one(slots, loop, 10s, log, who));
        tasks.back().start();
    }
    CHECK(log == "ab");
    tasks[2] = Task<void>(); // c will not wait
    loop.advance(9s);
    CHECK(log == "ab");
    tasks[0] = Task<void>(); // a is cancelled: its slot is d's, who is cancelled before it comes to it
    tasks[3] = Task<void>();
    loop.advance(0s);
    CHECK(log == "abe");
    CHECK_FALSE(slots.idle());
    tasks.clear();
    loop.advance(0s);
    CHECK(slots.idle());
    Task<void> last = hold_one(slots, loop, 1s, log, 'z');
    last.start();
    CHECK(log == "abez");
    loop.advance(1s);
    CHECK(last.done());
}

TEST_CASE("a task starts when it is awaited and hands its value up") {
    VirtualLoop loop;
    int ends = 0;
    std::string out;
    Task<void> task = keep(nested(loop, 5s, 41, ends), out);
    CHECK(loop.timers() == 0);
    task.start();
    loop.advance(4999ms);
    CHECK(out.empty());
    loop.advance(1ms);
    CHECK(out == "42");
    CHECK(ends == 2);
    CHECK(task.done());
}

TEST_CASE("destroying a task cancels it and all it waits for") {
    VirtualLoop loop;
    int ends = 0;
    {
        Task<int> task = nested(loop, 5s, 1, ends);
        task.start();
        CHECK(loop.timers() == 1);
    }
    CHECK(ends == 2);
    CHECK(loop.timers() == 0);
}

TEST_CASE("an exception passes to whoever awaits") {
    VirtualLoop loop;
    std::string out;
    Task<void> task = keep(throws_after(loop, 1s), out);
    task.start();
    loop.advance(1s);
    CHECK(out == "no");
}

TEST_CASE("the first of two wins a race and the other is cancelled") {
    VirtualLoop loop;
    int ends = 0;
    SUBCASE("the first") {
        Task<std::variant<int, int>> task = race(after(loop, 1s, 1, ends), after(loop, 2s, 2, ends));
        task.start();
        loop.advance(1s);
        REQUIRE(task.done());
        const auto won = task.take();
        CHECK(won.index() == 0);
        CHECK(std::get<0>(won) == 1);
    }
    SUBCASE("the second") {
        Task<std::variant<int, int>> task = race(after(loop, 2s, 1, ends), after(loop, 1s, 2, ends));
        task.start();
        loop.advance(1s);
        REQUIRE(task.done());
        CHECK(task.take().index() == 1);
    }
    CHECK(ends == 2);
    CHECK(loop.timers() == 0);
}

TEST_CASE("a race between tasks that end at once is won by the first") {
    Task<std::variant<int, int>> task = race(at_once(1), at_once(2));
    task.start();
    REQUIRE(task.done());
    CHECK(task.take().index() == 0);
}

TEST_CASE("a time limit yields the value in time, else nothing") {
    VirtualLoop loop;
    int ends = 0;
    Task<std::optional<int>> quick = with_timeout(loop, 2s, after(loop, 1s, 7, ends));
    Task<std::optional<int>> slow = with_timeout(loop, 2s, after(loop, 3s, 7, ends));
    quick.start();
    slow.start();
    loop.advance(2s);
    REQUIRE(quick.done());
    REQUIRE(slow.done());
    CHECK(quick.take() == 7);
    CHECK(slow.take() == std::nullopt);
    CHECK(ends == 2);
    CHECK(loop.timers() == 0);
}

TEST_CASE("an exception in a race passes on") {
    VirtualLoop loop;
    Task<std::optional<int>> task = with_timeout(loop, 2s, throws_after(loop, 1s));
    task.start();
    loop.advance(1s);
    REQUIRE(task.done());
    CHECK_THROWS_AS(task.take(), std::runtime_error);
}

TEST_CASE("a completion resumes in a turn of its own, and only the first answer counts") {
    VirtualLoop loop;
    Completion<int> cell(loop);
    const auto set = cell.setter();
    int out = 0;
    Task<void> task = wait_for(cell, out);
    task.start();
    set(1);
    set(2);
    CHECK(out == 0);
    loop.turn();
    CHECK(out == 1);
}

TEST_CASE("a callback that comes after its task has gone finds the cell empty") {
    VirtualLoop loop;
    std::optional<Completion<int>::Setter> late;
    {
        Completion<int> cell(loop);
        late = cell.setter();
        int out = 0;
        Task<void> task = wait_for(cell, out);
        task.start();
        (*late)(1); // on its way while the task ends
    }
    loop.turn();
    (*late)(2);
    loop.turn();
}

namespace {
Task<void> sleeper(VirtualLoop& loop, Alarm& alarm, Duration d, Duration& woke) {
    co_await alarm.until(loop.now().mono + d);
    woke = loop.elapsed();
}
} // namespace

TEST_CASE("an alarm wakes at its time, when it rings, or at once if it rang before") {
    VirtualLoop loop;
    Alarm alarm(loop);
    Duration woke{};
    Task<void> on_time = sleeper(loop, alarm, 5s, woke);
    on_time.start();
    loop.advance(10s);
    CHECK(woke == 5s);

    Task<void> rung = sleeper(loop, alarm, 5s, woke);
    rung.start();
    loop.advance(1s);
    alarm.ring();
    loop.advance(0s);
    CHECK(woke == 11s);

    alarm.ring();
    Task<void> before = sleeper(loop, alarm, 5s, woke);
    before.start();
    loop.advance(1s);
    CHECK(woke == 11s);

    Task<void> once = sleeper(loop, alarm, 5s, woke);
    once.start();
    loop.advance(10s);
    CHECK(woke == 17s);
}

namespace {
Task<void> detached(Loop& loop, Duration d, int& ends) {
    const Witness w(ends);
    co_await sleep(loop, d);
}
} // namespace

TEST_CASE("a group puts finished tasks away and cancels the rest with itself") {
    VirtualLoop loop;
    int ends = 0;
    {
        TaskGroup group(loop);
        group.spawn(detached(loop, 1s, ends));
        group.spawn(detached(loop, 9s, ends));
        CHECK(group.size() == 2);
        loop.advance(2s);
        CHECK(group.size() == 1);
        CHECK(ends == 1);
    }
    CHECK(ends == 2);
    CHECK(loop.timers() == 0);
}
