// Task<T>: a coroutine that has one owner, starts when awaited and is cancelled by destroying it.
//
// Destroying a task destroys what it waits on (timers, watches, transfers, inner tasks), so a cancelled task
// leaves nothing behind. Whoever cancels stands outside: a task must not destroy itself. Belongs to its
// loop's thread. What can fail in normal operation is the task's value; an exception passes to whoever
// awaits.
//
// g++ 12.2: co_await into a named variable first. Braced temporaries and capturing lambdas in the same
// expression as co_await are destroyed twice.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace fairway {

template<class T> class Task;

namespace detail {

struct TaskPromiseBase {
    std::coroutine_handle<> continuation = std::noop_coroutine();
    std::exception_ptr error;

    struct Final {
        bool await_ready() const noexcept { return false; }
        template<class P> std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
            return h.promise().continuation;
        }
        void await_resume() const noexcept {}
    };

    std::suspend_always initial_suspend() noexcept { return {}; }
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { error = std::current_exception(); }
};

template<class T> struct TaskPromise : TaskPromiseBase {
    std::optional<T> value;

    Task<T> get_return_object() noexcept;
    void return_value(T v) { value.emplace(std::move(v)); }
    T take() {
        if (error) std::rethrow_exception(std::exchange(error, nullptr));
        return std::move(*value);
    }
};

template<> struct TaskPromise<void> : TaskPromiseBase {
    Task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void take() {
        if (error) std::rethrow_exception(std::exchange(error, nullptr));
    }
};

} // namespace detail

template<class T> class [[nodiscard]] Task {
  public:
    using promise_type = detail::TaskPromise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle h) noexcept : handle_(h) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Task& operator=(Task&& other) noexcept {
        Task dying(std::move(*this));
        handle_ = std::exchange(other.handle_, nullptr);
        return *this;
    }
    ~Task() {
        if (handle_) handle_.destroy();
    }

    bool valid() const { return static_cast<bool>(handle_); }
    bool done() const { return handle_.done(); }

    /// Runs to the first wait without an awaiter; for owners such as race() and TaskGroup.
    void start() { handle_.resume(); }
    void when_done(std::coroutine_handle<> then) { handle_.promise().continuation = then; }
    T take() { return handle_.promise().take(); } ///< only when done()

    struct Awaiter {
        Handle task;
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
            task.promise().continuation = parent;
            return task;
        }
        T await_resume() { return task.promise().take(); }
    };
    Awaiter operator co_await() const noexcept { return Awaiter{handle_}; }

  private:
    Handle handle_ = nullptr;
};

template<class T> Task<T> detail::TaskPromise<T>::get_return_object() noexcept {
    return Task<T>(Task<T>::Handle::from_promise(*this));
}
inline Task<void> detail::TaskPromise<void>::get_return_object() noexcept {
    return Task<void>(Task<void>::Handle::from_promise(*this));
}

} // namespace fairway
