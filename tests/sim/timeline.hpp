// Simulated time: one line of events for the whole world, and the Loop that one simulated process sees of it.
//
// Nothing here sleeps or reads a clock: time jumps from event to event, and events of the same moment happen
// in the order in which they were asked for. That order, and the seed, are all that a story depends on.
#pragma once

#include "probes/async/loop.hpp"

#include <map>
#include <memory>

namespace fairway::sim {

/// Time since the story began.
using Moment = Duration;

/// The world's line of events. Owned by the story; outlives every process in it.
class Timeline {
  public:
    using Key = std::pair<Moment, std::uint64_t>; ///< a moment, and the order of asking within it

    Moment now() const { return now_; }
    Key at(Moment when, Loop::Callback f); ///< a moment that has passed means now
    void cancel(Key key) { events_.erase(key); }
    void run_until(Moment end); ///< everything due until then, `end` included
    bool step(Moment end);      ///< the next event only; false (and now is `end`) if there is none until then
    /// Jumps ahead to `when`, if nothing else happens until then and nobody looks after each event.
    bool leap(Moment when);
    std::uint64_t events() const { return happened_; }

  private:
    std::map<Key, Loop::Callback> events_;
    Moment now_{};
    Moment leaps_until_ = Moment::min(); ///< while run_until() runs
    std::uint64_t asked_ = 0, happened_ = 0;
};

/// The loop of one simulated process. Its monotonic clock starts where it likes, as that of a new process
/// does, and when the process dies (the loop is destroyed) nothing that it was waiting for happens any more.
class SimLoop : public Loop {
  public:
    SimLoop(Timeline& timeline, WallTime wall_at_zero, Instant mono_at_birth);

    Now now() const override;
    HandlePtr at(Instant when, Callback f) override;
    HandlePtr watch(int fd, unsigned events,
                    IoCallback f) override; ///< a mistake: there are no descriptors here
    void post(Callback f) override;
    bool leap(Moment when) { return when >= stalled_until_ && timeline_.leap(when); }

    void stall(Duration d) {
        stalled_until_ = timeline_.now() + d;
    } ///< not scheduled for so long (SIGSTOP, swap)
    void step_clock(Duration by) { ///< somebody sets the wall clock
        wall_at_zero_ += std::chrono::duration_cast<std::chrono::milliseconds>(by);
    }
    Moment world_now() const { return timeline_.now(); }
    Moment moment(Instant i) const { return born_ + (i - mono_at_birth_); }
    Instant instant(Moment m) const { return mono_at_birth_ + (m - born_); }

  private:
    class Timer;
    void arm(Timer& timer, Moment when);

    Timeline& timeline_;
    WallTime wall_at_zero_;
    Instant mono_at_birth_;
    Moment born_;
    Moment stalled_until_{};
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace fairway::sim
