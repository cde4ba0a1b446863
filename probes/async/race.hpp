// The first of two tasks, and its best use: a time limit. The loser is destroyed, which cancels it.
#pragma once

#include "probes/async/task.hpp"
#include "probes/async/wait.hpp"

#include <variant>

namespace fairway {

namespace detail {

/// Starts both and goes on as soon as one is done. If both are by then, the first counts.
template<class A, class B> struct Either {
    Task<A>& a;
    Task<B>& b;

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent) {
        a.start();
        if (a.done()) return false;
        b.start();
        if (a.done() || b.done()) return false;
        a.when_done(parent);
        b.when_done(parent);
        return true;
    }
    void await_resume() const noexcept {}
};

inline Task<std::monostate> sleep_until(Loop& loop, Instant t) {
    co_await Sleep(loop, t);
    co_return std::monostate{};
}

} // namespace detail

/// What the winner yielded or threw, by its place.
template<class A, class B> Task<std::variant<A, B>> race(Task<A> a, Task<B> b) {
    detail::Either<A, B> either{a, b};
    co_await either;
    if (a.done()) {
        b = Task<B>();
        std::variant<A, B> won(std::in_place_index<0>, a.take());
        co_return won;
    }
    a = Task<A>();
    std::variant<A, B> won(std::in_place_index<1>, b.take());
    co_return won;
}

/// The task's value, or nothing if it has none by `deadline`.
template<class T> Task<std::optional<T>> with_deadline(Loop& loop, Instant deadline, Task<T> task) {
    Task<std::monostate> limit = detail::sleep_until(loop, deadline);
    detail::Either<T, std::monostate> either{task, limit};
    co_await either;
    std::optional<T> value;
    limit = Task<std::monostate>();
    if (task.done()) value.emplace(task.take());
    task = Task<T>();
    co_return value;
}
template<class T> Task<std::optional<T>> with_timeout(Loop& loop, Duration limit, Task<T> task) {
    return with_deadline(loop, loop.now().mono + limit, std::move(task));
}

} // namespace fairway
