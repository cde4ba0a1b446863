// What a datacenter's fault may have cost: the replication lag of the others when it began (S3, S5).
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// Of an eventually consistent store the worst, since each of the others lacks what was written there; else
/// that of the standby that is least behind, which is the one to be promoted.
std::optional<Duration> lag_behind(const ServiceContext& c, EndpointIndex lost, Instant fault) {
    const bool eventual = c.service.consistency == Service::Consistency::eventual;
    std::optional<Duration> result;
    for (EndpointIndex e = 0; e < c.bound.size(); ++e)
        for (const BoundCheck& b : c.bound[e].stateful)
            for (MemberSlot slot : b.members) {
                const auto lag = e == lost ? std::nullopt : c.members[slot].lags.at(fault);
                if (lag)
                    result = !result ? *lag : eventual ? std::max(*result, *lag) : std::min(*result, *lag);
            }
    return result;
}

} // namespace

std::string note_fault(Turn& t, EndpointIndex e, Instant begin) {
    t.s.fault = FaultRecord{t.datacenter(e), t.c.now.wall_at(begin), lag_behind(t.c, e, begin)};
    t.noted = true;
    if (!t.s.fault->lag) return "; nothing reported how far the others were behind it";
    return "; the others were " + brief(*t.s.fault->lag) +
           " behind it when it failed: so much of the last writes is at "
           "risk";
}

} // namespace fairway::policies
