// The stage that gives an endpoint that returned its share back step by step.
#include "policies/service.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

namespace {

/// Something it rests on is not as well as it could be: a look failed or was degraded.
bool unwell(const ServiceContext& c, EndpointIndex e) {
    for (auto* tier : {&c.bound[e].application, &c.bound[e].stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members) {
                const MemberHealth& h = c.members[slot].health;
                if (h.failing() || h.last.outcome == Outcome::degraded) return true;
            }
    return false;
}

void climb(Turn& t, EndpointIndex e) {
    EndpointState& state = t.s.endpoints[e];
    const Ramp& ramp = t.c.service.ramp;
    if (!state.ramp_step) return;
    if (unwell(t.c, e)) state.ramp_since = t.c.now.mono; // the guard: the step begins anew
    if (t.c.now.mono - state.ramp_since < ramp.hold) return t.due(state.ramp_since + ramp.hold);
    ++*state.ramp_step;
    state.ramp_since = t.c.now.mono;
    t.noted = true;
    if (*state.ramp_step >= ramp.steps.size()) {
        state.ramp_step.reset();
        return t.because(e, t.datacenter(e) + " has its whole share again");
    }
    t.because(e, t.datacenter(e) + " is given " +
                     std::to_string(std::lround(ramp.steps[*state.ramp_step] * 100)) +
                     "% of its share after its return");
    t.due(state.ramp_since + ramp.hold);
}

} // namespace

void climb_ramps(Turn& t) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) climb(t, e);
}

} // namespace fairway::policies
