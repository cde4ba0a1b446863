#include "probes/monitor.hpp"

#include "probes/async/race.hpp"

#include <algorithm>

namespace fairway::probes {

namespace {
constexpr double jitter = 0.1; // of the interval; shortens only, so that it never delays a verdict (L2)

// How late we may come to see a time limit and still believe in silence: this thread promises 100 ms (H10).
constexpr Duration tolerated_lag = 100ms;
}

Monitor::Monitor(Loop& loop, MemberId member, CheckPtr check, LookOnce look, Report report, Duration first)
    : loop_(loop),
      member_(member),
      check_(std::move(check)),
      look_(std::move(look)),
      report_(std::move(report)),
      random_(member + 1),
      alarm_(loop),
      task_(run(first)) {
    task_.start();
}

void Monitor::look_now() {
    if (looking_ && begun_ == loop_.now().mono) return;
    alarm_.ring();
}

Task<void> Monitor::run(Duration first) {
    co_await alarm_.until(loop_.now().mono + first);
    for (;;) {
        begun_ = loop_.now().mono;
        looking_ = true;
        Task<Observation> observing = observe();
        Observation seen = co_await observing;
        looking_ = false;
        const Instant next = next_start(seen);
        report_(std::move(seen));
        co_await alarm_.until(next);
    }
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

Instant Monitor::next_start(const Observation& seen) {
    if (const auto quick = next_look(cadence_, seen, *check_)) return seen.ended + *quick;
    const double share = 1.0 - jitter * std::uniform_real_distribution<>(0.0, 1.0)(random_);
    const auto interval = std::chrono::duration_cast<Duration>(check_->timing.interval * share);
    return std::max(seen.begun + interval, seen.ended);
}

} // namespace fairway::probes
