// The stage that keeps automation from taking too many endpoints of a service out at once (L9).
#include "policies/brake.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

void pull_brake(Turn& t) {
    if (t.c.service.follows_primary()) { // the role alone moves its traffic (L14)
        for (EndpointState& e : t.s.endpoints) e.braked = false;
        return;
    }
    std::vector<std::optional<Instant>> out;
    std::size_t count = 0;
    bool any_fit = false;
    for (const EndpointState& e : t.s.endpoints) {
        out.push_back(e.out_since);
        count += !e.excluded;
        any_fit |= e.fit;
    }
    const auto at_once = braked(out, count, t.c.model.brake, t.c.now.mono);
    const unsigned least = t.c.model.rules.min_datacenters;
    const auto ruled = kept(out, count, least);
    for (EndpointIndex e = 0; e < out.size(); ++e) {
        bool brake = any_fit && (at_once[e] || (least > 1 && ruled[e])) &&
                     t.s.endpoints[e].was_fit; // with nothing fit the brake is not asked (L8)
        if (brake && !t.s.endpoints[e].braked) {
            auto& said = t.say(Change::endpoint_braked, Severity::warning,
                               t.datacenter(e) + " is unfit but stays: " +
                                   (at_once[e] ? "too many endpoints went at once; "
                                               : "min_datacenters is " + std::to_string(least) + "; ") +
                                   unfit_reason(t.s, t.c, e));
            said.datacenter = t.datacenter(e);
        } else if (!brake && t.s.endpoints[e].braked && !t.s.endpoints[e].fit)
            t.because(e, t.datacenter(e) + " goes out, the brake is released: " + unfit_reason(t.s, t.c, e));
        t.s.endpoints[e].braked = brake;
    }
    if (auto due = brake_due(out, t.c.model.brake, t.c.now.mono)) t.due(*due);
}

} // namespace fairway::policies
