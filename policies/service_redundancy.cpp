// The stage that tells when redundancy or an objective is lost in peacetime, and when it is back (L21, S8,
// O7).
#include "config/counted.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// An objective is missed, or met again, once it has been so for this long: a lag wavers.
constexpr Duration settled_after = 10s;

std::vector<bool> able(const ServiceState& s, const ServiceContext& c) {
    std::vector<bool> out;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        const bool seat = c.service.follows_primary() && s.followed && s.followed->endpoint == e;
        const bool healthy = usable_here(s.endpoints[e]);
        out.push_back(c.service.follows_primary() && !seat ? can_take_over(s, c, e) : healthy);
    }
    return out;
}

/// Of an eventually consistent store the worst, since every site writes; else of the standby that is least
/// behind.
std::optional<Duration> lag_at_risk(const ServiceState& s, const ServiceContext& c) {
    const bool eventual = c.service.consistency == Service::Consistency::eventual;
    std::optional<Duration> lag;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        if (c.service.follows_primary() && s.followed && s.followed->endpoint == e) continue;
        if (s.endpoints[e].excluded) continue;
        const auto here = lag_of(c, e);
        if (here) lag = !lag ? *here : eventual ? std::max(*lag, *here) : std::min(*lag, *here);
    }
    return lag;
}

bool everybody_out_was_sent(const ServiceState& s, const ServiceContext& c) {
    const std::vector<bool> can = able(s, c);
    for (EndpointIndex e = 0; e < can.size(); ++e)
        if (!can[e] && !s.endpoints[e].excluded && named(c.service, e)) return false;
    return true;
}

void tell_redundancy(Turn& t) {
    const Redundancy now = standing(t.s, t.c).redundancy;
    const Redundancy before = t.s.redundancy.value_or(Redundancy{now.designed, now.designed});
    t.s.redundancy = now;
    if (now.survives == before.survives) return;
    t.s.redundancy_since = t.c.now.mono;
    const bool worse = now.survives < before.survives;
    auto& said = t.say(worse ? Change::redundancy_lost : Change::redundancy_back,
                       worse && !everybody_out_was_sent(t.s, t.c) ? Severity::warning : Severity::info,
                       redundancy_text(now));
    said.from = std::to_string(before.survives);
    said.to = std::to_string(now.survives);
}

void tell_objectives(Turn& t) {
    const auto& o = t.c.service.objectives;
    if (!o.rto && !o.rpo) return;
    std::string missed = missed_objectives(t.c.service, standing(t.s, t.c));
    if (o.rpo) t.due(t.c.now.mono + settled_after); // a lag grows without any verdict
    if (missed.empty() == t.s.missed.empty()) {
        if (!missed.empty()) t.s.missed = missed; // the figures of the day
        return t.s.objectives_turned.reset();
    }
    if (!t.s.objectives_turned) t.s.objectives_turned = t.c.now.mono;
    if (t.c.now.mono - *t.s.objectives_turned < settled_after)
        return t.due(*t.s.objectives_turned + settled_after);
    t.s.objectives_turned.reset();
    t.s.missed = std::move(missed);
    t.s.missed_since = t.c.now.mono;
    if (t.s.missed.empty()) t.say(Change::objectives_met, Severity::info, "the objectives can be met again");
    else t.say(Change::objectives_missed, Severity::warning, t.s.missed);
}

/// After a restart roles and lags are known anew once everything has been looked at, or is silent for 10 s.
bool looks_around(Turn& t) {
    constexpr Duration longest = 10s;
    if (!t.s.warm || t.c.now.mono - t.s.born >= longest) return false;
    for (const BoundEndpoint& e : t.c.bound)
        for (const BoundCheck& b : e.stateful)
            for (MemberSlot slot : b.members)
                if (t.c.members[slot].health.last.begun == Instant{}) {
                    t.due(t.s.born + longest);
                    return true;
                }
    return false;
}

} // namespace

Standing standing(const ServiceState& s, const ServiceContext& c) {
    bool reports = false;
    for (const BoundEndpoint& e : c.bound) reports |= !e.stateful.empty();
    return {redundancy(c.model, c.service, able(s, c)), reports, lag_at_risk(s, c)};
}

std::string redundancy_text(const Redundancy& r) {
    if (r.survives == 0) return "the next failure domain that is lost is an outage";
    return "survives the loss of " + counted(r.survives, "more failure domain") +
           (r.lost() ? ", of " + std::to_string(r.designed) : "");
}

void watch_redundancy(Turn& t) {
    const bool open = std::ranges::any_of(
        t.s.endpoints, [](auto& e) { return e.readiness == Readiness::undecided && !e.excluded; });
    if (!t.s.served || open || looks_around(t))
        return; // after a start: who has not been looked at is not lost
    tell_redundancy(t);
    tell_objectives(t);
}

} // namespace fairway::policies
