#include "probes/monitor.hpp"

#include "probes/async/race.hpp"

#include <algorithm>

namespace fairway::probes {

namespace {
constexpr double jitter = 0.1; // of the interval; shortens only, so that it never delays a verdict (L2)

// Looks of many members begin together at this grid, and many are answered in one turn of the loop: waking up
// for each step of each look is a good part of what looking costs. Nothing is told apart within 10 ms.
constexpr Duration grid = 10ms;

// How late we may come to a look, or to see its time limit and still believe in silence: this thread promises
// 100 ms (H10).
constexpr Duration tolerated_lag = 100ms;
}

Monitor::Monitor(Loop& loop, MemberId member, CheckPtr check, LookOnce look, Report report, Duration first)
    : loop_(loop),
      member_(member),
      check_(std::move(check)),
      look_(std::move(look)),
      report_(std::move(report)),
      random_((member + 1) * 2654435761U), // far apart, as neighbouring seeds draw alike at first
      alarm_(loop),
      task_(run(first)) {
    task_.start();
}

void Monitor::look_now() {
    if (looking_ && begun_ == loop_.now().mono) return;
    alarm_.ring();
}

Task<void> Monitor::run(Duration first) {
    co_await sleep(loop_, 0s); // what made us may have taken this turn long, which is no lateness of a look
    for (Instant due = loop_.now().mono + first;;) {
        co_await alarm_.until(due);
        begun_ = loop_.now().mono;
        if (begun_ - due > tolerated_lag) {
            due = pass_over(begun_ - due);
            continue;
        }
        looking_ = true;
        Task<Observation> observing = observe();
        Observation seen = co_await observing;
        looking_ = false;
        due = next_start(seen);
        report_(std::move(seen));
    }
}

/// A thread that cannot keep up looks at fewer members in time rather than at all of them too late. The next
/// look may come anywhere in an interval: after a stall all members are here at once.
Instant Monitor::pass_over(Duration late) {
    Observation none;
    none.member = member_;
    none.reason = Reason::local_limit;
    none.detail = "this node was " + brief(late) + " behind";
    none.begun = none.ended = begun_;
    report_(std::move(none));
    const Duration within = std::min(check_->timing.interval, longest_start);
    return begun_ + std::chrono::duration_cast<Duration>(within * random_share());
}

Task<Observation> Monitor::observe() {
    const Instant begun = begun_;
    const Instant deadline = begun + check_->timing.timeout;
    Reason silence = Reason::internal;
    Finding found;
    try {
        Task<Finding> looking = look_(silence);
        Task<std::optional<Finding>> limited = with_deadline(loop_, deadline, std::move(looking));
        std::optional<Finding> in_time = co_await limited;
        found = in_time ? std::move(*in_time) : timed_out(silence, deadline);
    } catch (const std::exception& e) { found = because(Reason::internal, e.what()); }

    Observation seen;
    seen.member = member_;
    seen.outcome = found.outcome;
    seen.reason = found.reason;
    seen.detail = std::move(found.detail);
    seen.facts = std::move(found.facts);
    seen.begun = begun;
    seen.ended = loop_.now().mono;
    co_return seen;
}

/// If we come to see the time limit much too late, we may not have read an answer that is there: that says
/// something about us, not about the target (H10).
Finding Monitor::timed_out(Reason silence, Instant deadline) const {
    const Duration late = loop_.now().mono - deadline;
    if (late > tolerated_lag) return because(Reason::local_limit, "this node was " + brief(late) + " behind");
    return because(silence, "no whole answer within " + to_string(check_->timing.timeout));
}

double Monitor::random_share() { return std::uniform_real_distribution<>(0.0, 1.0)(random_); }

Instant Monitor::next_start(const Observation& seen) {
    if (const auto quick = next_look(cadence_, seen, *check_)) return seen.ended + *quick;
    const auto shortest = std::chrono::duration_cast<Duration>(check_->timing.interval * (1.0 - jitter));
    const Instant earliest = seen.begun + shortest;
    const Instant due = earliest + std::chrono::duration_cast<Duration>((check_->timing.interval - shortest) *
                                                                        random_share());
    return std::max({due - due.time_since_epoch() % grid, earliest, seen.ended});
}

} // namespace fairway::probes
