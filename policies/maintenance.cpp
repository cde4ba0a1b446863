// Maintenance quiets: what happens to something that is being worked on is told, and nobody is called.
#include "policies/engine_state.hpp"
#include "policies/overrides.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// What a thing under maintenance may do without calling anybody. Whole services, primaries and switches are
/// not in it: an outage is one whatever caused it.
bool expected(Change c) {
    switch (c) {
    case Change::member_down:
    case Change::member_held:
    case Change::endpoint_unfit:
    case Change::endpoint_braked:
    case Change::endpoint_suppressed:
    case Change::endpoint_degraded:
    case Change::alias_failing: return true;
    default: return false;
    }
}

} // namespace

void Engine::State::quiet_maintenance(Effects& out, Now now) const {
    for (Transition& t : out.transitions) {
        if (t.severity == Severity::info || t.datacenter.empty() || !expected(t.change)) continue;
        const auto index = model->find_titled(t.service);
        const Place place = index ? place_of(*model, model->services[*index], t.service, t.datacenter)
                                  : Place{"", t.datacenter, {}};
        if (!maintained(overrides, place, now.wall)) continue;
        t.severity = Severity::info;
        t.reason = "under maintenance: " + t.reason;
    }
}

} // namespace fairway::policies
