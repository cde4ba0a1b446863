// Slots: at most so many at once; whoever comes when all are taken waits its turn.
#pragma once

#include "probes/async/loop.hpp"

#include <coroutine>
#include <list>
#include <utility>

namespace fairway {

/// Belongs to its loop's thread and outlives who waits for it and who holds of it. A waiter that is destroyed
/// loses its turn and nothing else.
class Slots {
  public:
    Slots(Loop& loop, std::size_t count) : loop_(loop), free_(count) {}
    Slots(const Slots&) = delete;
    Slots& operator=(const Slots&) = delete;

    /// One of them, given back when destroyed.
    class [[nodiscard]] Held {
      public:
        explicit Held(Slots& from) : from_(&from) {}
        Held(Held&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (from_) from_->give_back();
        }

      private:
        Slots* from_;
    };

    class [[nodiscard]] Turn {
      public:
        explicit Turn(Slots& slots) : slots_(slots) {}
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;
        ~Turn();
        bool await_ready() noexcept;
        void await_suspend(std::coroutine_handle<> h);
        Held await_resume() noexcept;

      private:
        friend class Slots;
        Slots& slots_;
        bool granted_ = false, waiting_ = false;
        std::coroutine_handle<> waiter_;
        Loop::HandlePtr wake_;
        std::list<Turn*>::iterator place_;
    };
    /// `const Slots::Held held = co_await slots.take();`
    Turn take() { return Turn(*this); }

    bool idle() const { return held_ == 0 && queue_.empty(); }

  private:
    void give_back();
    Loop& loop_;
    std::size_t free_;
    std::size_t held_ = 0; ///< granted ones included
    std::list<Turn*> queue_;
};

} // namespace fairway
