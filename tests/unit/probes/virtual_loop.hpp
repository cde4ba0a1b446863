// A Loop whose time stands until a test moves it. No descriptors.
#pragma once

#include "probes/async/loop.hpp"

#include <deque>
#include <map>
#include <stdexcept>

namespace fairway {

class VirtualLoop final : public Loop {
  public:
    Now now() const override {
        return {now_, WallTime{} + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - Instant{})};
    }
    HandlePtr at(Instant when, Callback f) override {
        return std::make_unique<Timer>(timers_, when, std::move(f));
    }
    HandlePtr watch(int, unsigned, IoCallback) override { throw std::logic_error("no descriptors here"); }
    void post(Callback f) override { posted_.push_back(std::move(f)); }

    Duration elapsed() const { return now_ - Instant{}; }

    /// Lets time pass and runs what falls due, in order.
    void advance(Duration d) {
        const Instant end = now_ + d;
        for (turn(); !timers_.empty() && timers_.begin()->first <= end; turn()) {
            now_ = std::max(now_, timers_.begin()->first);
            const Callback f = std::exchange(*timers_.begin()->second, nullptr);
            timers_.erase(timers_.begin());
            f();
        }
        now_ = end;
    }
    void turn() {
        while (!posted_.empty()) {
            const Callback f = std::move(posted_.front());
            posted_.pop_front();
            f();
        }
    }
    /// As if the process had been stopped: time passes, nothing runs.
    void stall(Duration d) { now_ += d; }
    std::size_t timers() const { return timers_.size(); }

  private:
    using Timers = std::multimap<Instant, Callback*>;
    struct Timer final : Handle {
        Timers& timers;
        Callback f;
        Timers::iterator place;
        Timer(Timers& t, Instant when, Callback cb)
            : timers(t), f(std::move(cb)), place(t.emplace(when, &f)) {}
        ~Timer() override {
            if (f) timers.erase(place);
        }
    };
    Instant now_{};
    Timers timers_;
    std::deque<Callback> posted_;
};

} // namespace fairway
