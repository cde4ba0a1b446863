// The stage that keeps an active/passive service where it is: the latch, its failover and its failback (L10,
// L12).
#include "policies/rules.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

void move_latch(Turn& t, EndpointIndex to, Change change, std::string reason) {
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

namespace {

/// The first endpoint that is better than the active one, fit and whole; nullopt if the active one is the
/// best there is.
std::optional<EndpointIndex> better_than_active(const Turn& t, const ActivePassive& p) {
    for (EndpointIndex e : p.order) {
        if (e == *t.s.active) return std::nullopt;
        const EndpointState& state = t.s.endpoints[e];
        if (state.fit && !state.degraded && state.together == Readiness::ready) return e;
    }
    return std::nullopt;
}

/// What the rules say against a return now, in words; it is looked at again when they may say otherwise.
std::string keeps_from_returning(Turn& t) {
    const Rules& rules = t.c.model.rules;
    if (const auto window = hold_window(rules, t.c.now.wall)) {
        t.due(t.c.now.at(window->until));
        return window->text();
    }
    if (!rules.switch_at_most_every || t.s.moves == 0) return {};
    const Instant when = t.s.active_since + *rules.switch_at_most_every;
    if (t.c.now.mono >= when) return {};
    t.due(when);
    return "it has moved less than " + brief(*rules.switch_at_most_every) + " ago (switch_at_most_every)";
}

void consider_failback(Turn& t, EndpointIndex better) {
    using Mode = Service::Failback;
    const std::string& dc = t.datacenter(better);
    const std::string ruled = keeps_from_returning(t);
    if (ruled.empty() && t.c.service.failback == Mode::automatic)
        return move_latch(t, better, Change::failback, dc + " is fit again");
    if (ruled.empty() && t.c.service.failback == Mode::delayed) {
        Instant when =
            std::max({passing_since(t.c, better), t.s.endpoints[better].together_since, t.s.active_since}) +
            t.c.service.failback_after;
        if (t.c.now.mono >= when)
            return move_latch(t, better, Change::failback,
                              dc + " has been healthy for " + brief(t.c.service.failback_after));
        t.due(when);
    }
    if (std::exchange(t.s.awaiting_failback, true)) return;
    bool manual = t.c.service.failback == Mode::manual;
    auto& said = t.say(Change::awaiting_failback, Severity::info,
                       dc + " is healthy, awaiting failback" +
                           (manual ? ": fairwayctl failback " + t.c.service.title() : "") +
                           (ruled.empty() ? "" : "; " + ruled));
    said.datacenter = dc;
}

/// By the process before, less than 60 s ago; this one has answered nothing yet.
bool answered_before(const ServiceState& s) {
    return s.warm && s.was_served && s.plan.kind == AnswerPlan::Kind::servfail &&
           std::ranges::find(s.last_good, *s.active) != s.last_good.end();
}

} // namespace

std::optional<EndpointIndex> best_place(const ServiceState& s, const ServiceContext& c) {
    auto list = candidates(s, c);
    for (Candidate& k : list)
        if (s.endpoints[k.endpoint].stands_in) k.fit = k.usable = true;
    return best_in_order(std::get<ActivePassive>(c.service.policy), list);
}

void hold_latch(Turn& t) {
    auto* p = std::get_if<ActivePassive>(&t.c.service.policy);
    if (!p || p->follow_primary || !t.s.served) return;
    if (!t.s.drill_held.empty()) return; // what would have to run first is not run
    if (t.s.running && t.s.running->step < SwitchStep::after_failover) return; // the switch decides
    auto best = best_place(t.s, t.c);
    if (!best) return;
    if (!t.s.active) {
        t.s.active = best;
        t.s.active_since = t.c.now.mono;
        t.latched = true;
        return;
    }
    const EndpointState& active = t.s.endpoints[*t.s.active];
    bool answered =
        std::ranges::any_of(t.s.plan.choices, [&](auto& k) { return k.endpoint == *t.s.active; }) ||
        answered_before(t.s);
    bool open = active.readiness == Readiness::undecided ||
                (active.readiness == Readiness::ready && active.together == Readiness::undecided);
    if (open && active.together != Readiness::unready && !active.excluded && answered)
        return; // undecided is not failing
    if (!movable_here(active)) {
        const EndpointState& other = t.s.endpoints[*best];
        const bool waits = other.together != Readiness::ready && !active.excluded; // for those it moves with
        if (!movable_here(other) || waits || *best == *t.s.active) return;
        return move_latch(t, *best, Change::failover,
                          t.datacenter(*t.s.active) + " is not fit: " + unfit_reason(t.s, t.c, *t.s.active));
    }
    if (auto better = better_than_active(t, *p)) consider_failback(t, *better);
    else t.s.awaiting_failback = false;
}

} // namespace fairway::policies
