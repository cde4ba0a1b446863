// What a task can wait for: a time, a descriptor, an alarm that may ring early, somebody else's callback.
//
// Each wait owns its timer or watch and ends it when it is destroyed: that is all there is to cancelling.
#pragma once

#include "probes/async/loop.hpp"

#include <coroutine>
#include <memory>
#include <optional>
#include <utility>

namespace fairway {

/// `co_await Sleep(loop, when)`: until the loop gets to `when`. Always lets the loop turn once.
class [[nodiscard]] Sleep {
  public:
    Sleep(Loop& loop, Instant until) : loop_(loop), until_(until) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        timer_ = loop_.at(until_, [h] { h.resume(); });
    }
    void await_resume() const noexcept {}

  private:
    Loop& loop_;
    Instant until_;
    Loop::HandlePtr timer_;
};
inline Sleep sleep(Loop& loop, Duration d) { return Sleep(loop, loop.now().mono + d); }

/// `co_await Ready(loop, fd, events)`: until the descriptor is ready; yields the events. One task a
/// descriptor.
class [[nodiscard]] Ready {
  public:
    Ready(Loop& loop, int fd, unsigned events) : loop_(loop), fd_(fd), wanted_(events) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        watch_ = loop_.watch(fd_, wanted_, [this, h](unsigned seen) {
            seen_ = seen;
            h.resume();
        });
    }
    unsigned await_resume() noexcept {
        watch_.reset();
        return seen_;
    }

  private:
    Loop& loop_;
    int fd_;
    unsigned wanted_;
    unsigned seen_ = Loop::none;
    Loop::HandlePtr watch_;
};

/// A sleep that another may cut short. A ring while nobody waits is remembered, once.
class Alarm {
  public:
    explicit Alarm(Loop& loop) : loop_(loop) {}
    void ring();
    void clear() { rung_ = false; }

    struct Awaiter {
        Alarm& alarm;
        Instant until;
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> h) { alarm.wait(until, h); }
        void await_resume() const noexcept { alarm.rung_ = false; }
        ~Awaiter() { alarm.timer_.reset(); }
    };
    Awaiter until(Instant t) { return Awaiter{*this, t}; }

  private:
    void wait(Instant until, std::coroutine_handle<> h);
    Loop& loop_;
    std::coroutine_handle<> waiter_;
    Loop::HandlePtr timer_;
    bool rung_ = false;
};

/// One answer from a callback of somebody else's. The waiter owns the cell; the Setter only knows of it, so a
/// callback that comes after the task has gone finds it empty. Setters may be copied, called from any thread,
/// and called more than once (the first counts); the waiter goes on in a turn of the loop of its own, never
/// inside the callback.
template<class T> class Completion {
    struct Cell {
        std::optional<T> value;
        std::coroutine_handle<> waiter;
    };

  public:
    explicit Completion(Loop& loop) : loop_(loop) {}
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;

    class Setter {
      public:
        void operator()(T value) const {
            loop_->post([cell = cell_, v = std::move(value)]() mutable {
                const std::shared_ptr<Cell> c = cell.lock();
                if (!c || c->value) return;
                c->value.emplace(std::move(v));
                if (c->waiter) c->waiter.resume();
            });
        }

      private:
        friend class Completion;
        Setter(Loop& loop, std::weak_ptr<Cell> cell) : loop_(&loop), cell_(std::move(cell)) {}
        Loop* loop_;
        std::weak_ptr<Cell> cell_;
    };
    Setter setter() const { return Setter(loop_, cell_); }

    bool await_ready() const noexcept { return cell_->value.has_value(); }
    void await_suspend(std::coroutine_handle<> h) noexcept { cell_->waiter = h; }
    T await_resume() { return std::move(*cell_->value); }

  private:
    Loop& loop_;
    std::shared_ptr<Cell> cell_ = std::make_shared<Cell>();
};

} // namespace fairway
