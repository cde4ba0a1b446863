// The stage that keeps an active/passive service where it is: the latch, its failover and its failback (L10,
// L12).
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

void move(Turn& t, EndpointIndex to, Change change, std::string reason) {
    auto& said =
        t.say(change, change == Change::failover ? Severity::warning : Severity::info, std::move(reason));
    if (t.s.active) said.from = t.datacenter(*t.s.active);
    said.to = said.datacenter = t.datacenter(to);
    said.evidence = t.evidence;
    said.fault = t.fault;
    t.why = said.reason;
    t.s.active = to;
    ++t.s.moves;
    t.s.active_since = t.c.now.mono;
    t.s.awaiting_failback = false;
    t.latched = true;
}

/// The first endpoint that is better than the active one, fit and whole; nullopt if the active one is the best there
/// is.
std::optional<EndpointIndex> better_than_active(const Turn& t, const ActivePassive& p) {
    for (EndpointIndex e : p.order) {
        if (e == *t.s.active) return std::nullopt;
        if (t.s.endpoints[e].fit && !t.s.endpoints[e].degraded) return e;
    }
    return std::nullopt;
}

void consider_failback(Turn& t, EndpointIndex better) {
    using Mode = Service::Failback;
    const std::string& dc = t.datacenter(better);
    if (t.c.service.failback == Mode::automatic)
        return move(t, better, Change::failback, dc + " is fit again");
    if (t.c.service.failback == Mode::delayed) {
        Instant when = std::max(passing_since(t.c, better), t.s.active_since) + t.c.service.failback_after;
        if (t.c.now.mono >= when)
            return move(t, better, Change::failback,
                        dc + " has been healthy for " + brief(t.c.service.failback_after));
        t.due(when);
    }
    if (std::exchange(t.s.awaiting_failback, true)) return;
    bool manual = t.c.service.failback == Mode::manual;
    auto& said = t.say(Change::awaiting_failback, Severity::info,
                       dc + " is healthy, awaiting failback" +
                           (manual ? ": fairwayctl failback " + t.c.service.name.to_string() : ""));
    said.datacenter = dc;
}

} // namespace

void hold_latch(Turn& t) {
    auto* p = std::get_if<ActivePassive>(&t.c.service.policy);
    if (!p || p->follow_primary || !t.s.served) return;
    if (!t.s.drill_held.empty()) return; // what would have to run first is not run
    if (t.s.running && t.s.running->step < SwitchStep::after_failover) return; // the switch decides
    auto best = best_in_order(*p, candidates(t.s, t.c));
    if (!best) return;
    if (!t.s.active) {
        t.s.active = best;
        t.s.active_since = t.c.now.mono;
        t.latched = true;
        return;
    }
    const EndpointState& active = t.s.endpoints[*t.s.active];
    bool answered = std::ranges::any_of(t.s.plan.choices, [&](auto& k) { return k.endpoint == *t.s.active; });
    if (active.readiness == Readiness::undecided && !active.excluded && answered)
        return; // undecided is not failing
    if (!active.fit && !active.pressed) {
        const EndpointState& other = t.s.endpoints[*best];
        if (!(other.fit || other.pressed) || *best == *t.s.active) return;
        return move(t, *best, Change::failover,
                    t.datacenter(*t.s.active) + " is not fit: " + unfit_reason(t.s, t.c, *t.s.active));
    }
    if (auto better = better_than_active(t, *p)) consider_failback(t, *better);
    else t.s.awaiting_failback = false;
}

} // namespace fairway::policies
