// Monitor: the rhythm of looking at one member. It knows when to look, not what the results mean.
//
// Intervals run start to start, shortened at random by up to a tenth so that members drift apart. A look
// never overlaps itself. A look that comes much too late is passed over as unknown. After a result that
// policies want confirmed the next look comes a re-test after its end (L2).
#pragma once

#include "policies/observation.hpp"
#include "probes/async/task.hpp"
#include "probes/async/wait.hpp"
#include "probes/checks/check.hpp"

#include <functional>
#include <random>

namespace fairway::probes {

/// A start must be decided within 10 s (L20), however long the interval: a first look comes within this.
inline constexpr Duration longest_start = 5s;

/// Belongs to its loop's thread; destroying it ends the look under way. Must not be destroyed by its own
/// report.
class Monitor {
  public:
    /// Looks once. `silence` is to be kept at what a timeout would mean.
    using LookOnce = std::function<Task<Finding>(Reason& silence)>;
    using Report = std::function<void(Observation)>;

    /// The first look comes after `first`.
    Monitor(Loop& loop, MemberId member, CheckPtr check, LookOnce look, Report report, Duration first);

    /// Looks at once, or right after the look under way, unless that began at this very moment.
    void look_now();

  private:
    Task<void> run(Duration first);
    Task<Observation> observe();
    Finding timed_out(Reason silence, Instant deadline) const;
    Instant pass_over(Duration late);
    Instant next_start(const Observation& seen);
    double random_share(); ///< 0 to 1

    Loop& loop_;
    MemberId member_;
    const CheckPtr check_;
    LookOnce look_;
    Report report_;
    Cadence cadence_;
    std::minstd_rand random_;
    bool looking_ = false;
    Instant begun_{};
    Alarm alarm_;
    Task<void> task_; ///< last: ends before what it uses
};

} // namespace fairway::probes
