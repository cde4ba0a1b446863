#include "tests/sim/timeline.hpp"

#include <algorithm>
#include <stdexcept>

namespace fairway::sim {

Timeline::Key Timeline::at(Moment when, Loop::Callback f) {
    Key key{std::max(when, now_), ++asked_};
    events_.emplace_hint(events_.end(), key, std::move(f));
    return key;
}

bool Timeline::step(Moment end) {
    auto first = events_.begin();
    if (first == events_.end() || first->first.first > end) {
        now_ = std::max(now_, end);
        return false;
    }
    now_ = first->first.first;
    auto event = events_.extract(first); // out of the line before it happens: it may ask for more
    ++happened_;
    event.mapped()();
    return true;
}

void Timeline::run_until(Moment end) {
    leaps_until_ = end;
    while (step(end)) {}
    leaps_until_ = Moment::min();
}

bool Timeline::leap(Moment when) {
    if (when > leaps_until_ || (!events_.empty() && events_.begin()->first.first <= when)) return false;
    now_ = when;
    ++happened_;
    return true;
}

class SimLoop::Timer : public Loop::Handle {
  public:
    Timer(SimLoop& l, Callback callback) : loop(l), timeline(l.timeline_), f(std::move(callback)) {}
    ~Timer() override {
        if (armed) timeline.cancel(key);
    }
    void fire() {
        armed = false;
        if (timeline.now() < loop.stalled_until_) return loop.arm(*this, loop.stalled_until_);
        auto run = std::move(f); // it may destroy this very handle
        run();
    }

    SimLoop& loop;
    Timeline& timeline;
    Callback f;
    Timeline::Key key{};
    bool armed = false;
};

SimLoop::SimLoop(Timeline& timeline, WallTime wall_at_zero, Instant mono_at_birth)
    : timeline_(timeline),
      wall_at_zero_(wall_at_zero),
      mono_at_birth_(mono_at_birth),
      born_(timeline.now()) {}

Now SimLoop::now() const {
    auto since_zero = std::chrono::duration_cast<std::chrono::milliseconds>(timeline_.now());
    return {instant(timeline_.now()), wall_at_zero_ + since_zero};
}

void SimLoop::arm(Timer& timer, Moment when) {
    timer.key = timeline_.at(when, [&timer] { timer.fire(); });
    timer.armed = true;
}

Loop::HandlePtr SimLoop::at(Instant when, Callback f) {
    auto timer = std::make_unique<Timer>(*this, std::move(f));
    arm(*timer, moment(when));
    return timer;
}

Loop::HandlePtr SimLoop::watch(int, unsigned, IoCallback) {
    throw std::logic_error("the simulated world has no descriptors");
}

void SimLoop::post(Callback f) {
    timeline_.at(timeline_.now(), [alive = std::weak_ptr(alive_), f = std::move(f)] {
        if (alive.lock()) f();
    });
}

} // namespace fairway::sim
