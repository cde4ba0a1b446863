// A wall clock that is set: what has lasted, and what is to last, goes by the clock that never steps.
//
// Records and overrides hold wall times, because those outlive the process. When the wall clock leaps they
// leap with it, so that half an hour of maintenance stays half an hour; hold windows alone are times of day.
#include "policies/engine_state.hpp"

namespace fairway::policies {

namespace {

/// Between the two readings of one `Now` a busy machine may lose a moment; nobody sets a clock by less.
constexpr Duration least_step = 1s;

} // namespace

void Engine::State::follow_clock(Effects& out, Now now) {
    const WallTime zero = now.wall_at(Instant{});
    if (!wall_at_zero) wall_at_zero = zero;
    const auto step = zero - *wall_at_zero;
    if (step < least_step && step > -least_step) return;
    wall_at_zero = zero;
    leap(step, out, now);
}

/// Of the wall clock: all that is told in its time goes with it.
void Engine::State::leap(std::chrono::milliseconds step, Effects& out, Now now) {
    for (Override& o : overrides) {
        o.since += step;
        o.expires += step;
    }
    out.overrides |= !overrides.empty();
    if (drill) {
        drill->report.since += step;
        drill->report.until += step;
    }
    for (ServiceState& s : services) {
        if (s.running) {
            s.running->started += step;
            s.running->step_since += step;
        }
        if (s.rejoin) s.rejoin->since += step;
        if (s.diverging_since) *s.diverging_since += step;
        out.services.push_back(record_of(s, *model, now));
    }
    for (const MemberState& m : members)
        if (m.health.works.verdict != Readiness::undecided) out.members.push_back(record_of(m, now));
    mark_all();
}

} // namespace fairway::policies
