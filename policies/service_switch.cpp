// The stage that decides when the runbook starts, whether its reason still holds, and where it leads (L12,
// L15-L17).
#include "policies/rules.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// The members of an endpoint whose checks report a role.
template<class F> void each_stateful(const ServiceContext& c, EndpointIndex e, F f) {
    for (const BoundCheck& b : c.bound[e].stateful)
        for (MemberSlot slot : b.members) f(c.members[slot]);
}

bool young(const MemberState& m, Instant now) {
    const CheckTiming& t = m.spec.check->timing;
    return m.health.claim.ended != Instant{} && now - m.health.claim.ended <= 2 * t.interval + t.timeout;
}

bool reports_lag(const ServiceContext& c) {
    bool any = false;
    for (EndpointIndex e = 0; e < c.bound.size(); ++e)
        each_stateful(c, e, [&](auto& m) { any |= reports_of(m.spec.check->kind).lag; });
    return any;
}

/// Another of its group is known not to be fit there.
bool apart_here(const ServiceState& s, EndpointIndex e) {
    return s.endpoints[e].together == Readiness::unready;
}

/// Where the service is now, as far as a switch is concerned.
std::optional<EndpointIndex> seat(const ServiceState& s, const ServiceContext& c) {
    if (c.service.follows_primary()) return s.followed ? std::optional(s.followed->endpoint) : std::nullopt;
    return s.active;
}

} // namespace

std::optional<Instant> primary_lost(const ServiceContext& c, EndpointIndex e) {
    std::optional<Instant> last;
    bool claimed = false;
    each_stateful(c, e, [&](auto& m) {
        const RoleTrack& t = m.health.claim;
        claimed |= t.role == Role::primary && !t.unclaimed;
        if (t.was_primary && t.unclaimed) last = std::max(last.value_or(Instant{}), *t.unclaimed);
    });
    return claimed ? std::nullopt : last;
}

bool only_played(const ServiceContext& c, EndpointIndex e) {
    return c.drill && !c.drill->with_hooks && c.model.datacenter_of(c.service, e).name == c.drill->datacenter;
}

std::optional<Duration> lag_of(const ServiceContext& c, EndpointIndex e) {
    std::optional<Duration> least;
    each_stateful(c, e, [&](auto& m) {
        auto lag = m.lag ? std::optional(m.lag->time) : m.health.last.facts.lag;
        if (lag) least = std::min(least.value_or(Duration::max()), *lag);
    });
    return least;
}

std::string switch_epoch(const ServiceState& s, const ServiceContext& c) {
    if (!c.service.follows_primary()) return "m" + std::to_string(s.moves);
    return s.followed && s.followed->epoch ? "e" + std::to_string(*s.followed->epoch) : "e-";
}

bool application_fails(const ServiceContext& c, EndpointIndex e) {
    auto a = assess(c.service, c.service.endpoints[e], c.bound[e], c.members, Measure::passing);
    return a.application == Readiness::unready;
}

bool can_take_over(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    const EndpointState& state = s.endpoints[e];
    if (state.excluded || state.assessment.application != Readiness::ready) return false;
    if (state.together == Readiness::unready) return false;
    bool standby = false;
    each_stateful(c, e, [&](auto& m) {
        standby |= m.health.works.verdict == Readiness::ready && m.health.claim.role == Role::standby &&
                   young(m, c.now.mono);
    });
    return standby;
}

namespace {

/// Why one standby's data may be too old to promote; empty: they are not.
std::string at_risk(const MemberState& m, std::optional<Instant> fault, Instant now) {
    const Check& check = *m.spec.check;
    if (!check.requirements.max_lag) return "no max_lag is configured: data at risk is unknown";
    if (!m.lag) return "no lag is known of " + m.spec.target_text();
    // Fresh: the primary was sampled at most 2 intervals before its first failed probe (L16).
    Duration unseen = fault.value_or(now - check.timing.timeout) - m.lag->sampled;
    if (unseen > 2 * check.timing.interval)
        return "the primary was last sampled " + brief(unseen) + " before it failed";
    if (m.lag->time <= *check.requirements.max_lag) return {};
    const std::string bytes = // a product that reckons its lag itself tells none
        m.lag->bytes > 0 ? " and " + std::to_string(m.lag->bytes) + " bytes" : "";
    return "data at risk: " + brief(m.lag->time) + bytes + " behind, max_lag is " +
           brief(*check.requirements.max_lag);
}

/// Every member of `to` is known to be further behind than allowed.
bool lag_exceeds(const ServiceContext& c, EndpointIndex to) {
    bool any = false, within = false;
    each_stateful(c, to, [&](auto& m) {
        any |= m.lag.has_value();
        within |=
            m.lag && m.spec.check->requirements.max_lag && m.lag->time <= *m.spec.check->requirements.max_lag;
    });
    return any && !within;
}

} // namespace

std::optional<std::string> rpo_guard(const ServiceState& s, const ServiceContext& c, EndpointIndex to) {
    if (s.endpoints[to].group_risk) return s.endpoints[to].group_risk;
    if (!reports_lag(c)) return std::nullopt;
    std::optional<std::string> blocked = "no standby answers in " + c.model.datacenter_of(c.service, to).name;
    bool safe = false; // one member with data that are current enough can be promoted
    auto from = seat(s, c);
    auto fault = from ? primary_lost(c, *from) : std::nullopt;
    each_stateful(c, to, [&](const MemberState& m) {
        std::string risk = at_risk(m, fault, c.now.mono);
        safe |= risk.empty();
        if (!risk.empty()) blocked = risk;
    });
    return safe ? std::nullopt : blocked;
}

namespace {

/// The eligible standby with the least lag, ties by order (L15).
std::optional<EndpointIndex> best_standby(const ServiceState& s, const ServiceContext& c) {
    std::optional<EndpointIndex> best;
    auto order = std::get<ActivePassive>(c.service.policy).order;
    for (EndpointIndex e : order) {
        if ((s.followed && s.followed->endpoint == e) || !can_take_over(s, c, e)) continue;
        auto lag = [&](EndpointIndex x) { return lag_of(c, x).value_or(Duration::max()); };
        if (!best || lag(e) < lag(*best)) best = e;
    }
    return best;
}

/// Nobody can be moved there any more: excluded, its application down, or its database failing.
bool target_failed(const ServiceState& s, const ServiceContext& c, EndpointIndex to) {
    if (s.endpoints[to].excluded || s.endpoints[to].together == Readiness::unready) return true;
    if (s.endpoints[to].stands_in) return false;
    if (s.endpoints[to].assessment.application == Readiness::unready) return true;
    if (!c.service.follows_primary())
        return s.endpoints[to].readiness == Readiness::unready && !s.endpoints[to].pressed;
    bool any = false, alive = false;
    each_stateful(c, to, [&](auto& m) {
        any = true;
        alive |= m.health.works.verdict != Readiness::unready;
    });
    return any && !alive;
}

/// Does the followed site still say something of its role, e.g. that it is a standby now? Then an ordinary
/// switchover may be under way, and it must not be raced.
bool primary_is_gone(const ServiceState& s, const ServiceContext& c, std::span<const SiteClaim> claims) {
    if (!s.followed || s.claimed || c.doubt) return false;
    const SiteClaim& site = claims[s.followed->endpoint];
    return site.roleless || (s.no_primary_critical && site.answers && site.judged);
}

/// Whether the cause still holds; nullopt while that cannot be told yet (after a restart).
std::optional<bool> cause_holds(const ServiceState& s, const ServiceContext& c,
                                std::span<const SiteClaim> claims) {
    switch (s.running->cause) {
    case SwitchCause::requested_failover:
    case SwitchCause::requested_failback:
    case SwitchCause::requested_move: return true;
    case SwitchCause::primary_gone:
        if (s.claimed) return false;
        if (primary_is_gone(s, c, claims)) return true;
        return std::nullopt;
    case SwitchCause::application_down:
        if (!s.followed) return true;
        if (!claims[s.followed->endpoint].fresh) // worse, once that is known
            return claims[s.followed->endpoint].judged ? std::optional(true) : std::nullopt;
        return application_fails(c, s.followed->endpoint) || apart_here(s, s.followed->endpoint);
    case SwitchCause::site_down: break;
    }
    if (!s.active) return true;
    if (apart_here(s, *s.active)) return true;
    if (s.endpoints[*s.active].stands_in) return false;
    Readiness r = s.endpoints[*s.active].readiness;
    return r == Readiness::undecided ? std::nullopt : std::optional(r == Readiness::unready);
}

/// What keeps a switch from starting by itself at any time; empty: nothing does.
std::string needs_a_person_anyway(const Turn& t, SwitchCause cause, EndpointIndex to) {
    std::string guard = rpo_guard(t.s, t.c, to).value_or("");
    if (t.c.service.failover == Service::Failover::approval)
        return "failover: approval is configured" + (guard.empty() ? "" : "; " + guard);
    if (cause == SwitchCause::application_down) {
        auto fence = t.c.service.hooks.find(Hook::Step::fence);
        if (fence == t.c.service.hooks.end() || !fence->second.required)
            return "the database lives, and no required fence is configured";
    }
    return guard;
}

/// The same now: in a hold window with `also_failover` a person is asked who would not be otherwise.
std::string needs_a_person(const Turn& t, SwitchCause cause, EndpointIndex to) {
    std::string always = needs_a_person_anyway(t, cause, to);
    if (!always.empty()) return always;
    const auto window = hold_window(t.c.model.rules, t.c.now.wall, Held::failover);
    return window ? window->text() : "";
}

/// In a drill what would need the runbook, or a person, is told and not done.
void stay_in_drill(Turn& t, EndpointIndex to, const std::string& reason, const std::string& wait) {
    const std::string text =
        reason + ", and " +
        (wait.empty() ? "the runbook would move it to " + t.datacenter(to)
                      : "a switch to " + t.datacenter(to) + " would wait for approval (" + wait + ")");
    if (std::exchange(t.s.drill_held, text).empty())
        t.say(Change::switch_waiting, Severity::info, text + "; it stays");
}

void begin(Turn& t, SwitchCause cause, EndpointIndex to, std::string reason) {
    auto from = seat(t.s, t.c);
    std::string wait = needs_a_person(t, cause, to);
    if (from && only_played(t.c, *from)) return stay_in_drill(t, to, reason, wait);
    t.s.running = new_switch(t.c.service, cause, switch_epoch(t.s, t.c), from ? t.datacenter(*from) : "",
                             t.datacenter(to), std::move(reason), wait, t.c.now);
    t.s.running->by_window = !wait.empty() && needs_a_person_anyway(t, cause, to).empty();
    t.s.hook_running = false;
    t.latched = true;
    auto& said = t.say(wait.empty() ? Change::switch_started : Change::switch_waiting, Severity::critical,
                       t.s.running->reason + (wait.empty() ? ""
                                                           : "; waits for approval (" + wait +
                                                                 "): fairwayctl approve " + t.s.running->id));
    said.subject = t.s.running->id;
    said.from = t.s.running->from;
    said.to = said.datacenter = t.s.running->to;
}

void start_following_service(Turn& t, std::span<const SiteClaim> claims) {
    if (!t.s.followed || !t.c.service.hooks.contains(Hook::Step::promote)) return;
    SwitchCause cause;
    if (primary_is_gone(t.s, t.c, claims)) cause = SwitchCause::primary_gone;
    else if (t.s.partial_failure || (t.s.claimed && apart_here(t.s, t.s.followed->endpoint)))
        cause = SwitchCause::application_down;
    else return;
    auto to = best_standby(t.s, t.c);
    if (!to) return;
    begin(t, cause, *to, std::string(to_string(cause)) + " in " + t.datacenter(t.s.followed->endpoint));
}

/// Active/passive without `follow`: only where hooks, an approval or the RPO guard stand between.
void start_latched_service(Turn& t) {
    auto* p = std::get_if<ActivePassive>(&t.c.service.policy);
    if (!p || !t.s.active || t.s.endpoints[*t.s.active].excluded) return;
    const EndpointState& active = t.s.endpoints[*t.s.active];
    const bool fails = active.readiness == Readiness::unready && !active.stands_in;
    if (!fails && !apart_here(t.s, *t.s.active)) return;
    auto to = best_place(t.s, t.c);
    if (!to || *to == *t.s.active || !movable_here(t.s.endpoints[*to]) ||
        t.s.endpoints[*to].together != Readiness::ready)
        return;
    bool direct = t.c.service.hooks.empty() && needs_a_person(t, SwitchCause::site_down, *to).empty();
    if (direct) return; // hold_latch moves it
    begin(t, SwitchCause::site_down, *to,
          t.datacenter(*t.s.active) + " is down: " + unfit_reason(t.s, t.c, *t.s.active));
}

/// Does the site say it is primary, by a probe begun at or after `since`; nullopt: it has not been looked at
/// since.
std::optional<bool> claims_since(const SiteClaim& site, Instant since) {
    if (!site.fresh) return site.judged ? std::optional(false) : std::nullopt;
    return site.latest_begun >= since ? std::optional(true) : std::nullopt;
}

/// Before promoting, the site that is left is looked at once more: what it said before the fence proves
/// nothing.
void look_at_source(Turn& t, std::span<const SiteClaim> claims) {
    if (!t.s.followed || t.s.running->step != SwitchStep::promote || t.s.hook_running) return;
    const SiteClaim& site = claims[t.s.followed->endpoint];
    if (!site.fresh || claims_since(site, t.c.now.at(t.s.running->step_since))) return;
    each_stateful(t.c, t.s.followed->endpoint, [&](auto& m) { t.out.look.push_back(m.id); });
}

/// A drain of the active site is all the approval that leaving it needs.
bool drained_away(Turn& t) {
    bool waits = t.s.running->step == SwitchStep::awaiting_approval && !t.c.service.follows_primary();
    if (!waits || !t.s.active || !t.s.endpoints[*t.s.active].excluded) return false;
    t.say(Change::switch_obsolete, Severity::info,
          t.datacenter(*t.s.active) + " was drained: it is left without approval")
        .subject = t.s.running->id;
    t.s.running.reset();
    t.latched = true;
    return true;
}

/// What waited for nothing but the end of a hold window begins anew, by itself.
void leave_window(Turn& t) {
    if (!t.s.running || !t.s.running->by_window || t.s.running->step != SwitchStep::awaiting_approval) return;
    if (const auto window = hold_window(t.c.model.rules, t.c.now.wall, Held::failover))
        return t.due(t.c.now.at(window->until));
    t.say(Change::switch_obsolete, Severity::info, "the hold window is over").subject = t.s.running->id;
    t.s.running.reset();
    t.latched = true;
}

/// A wait that no failed hook caused is judged anew when the primary goes that it spared (L17): one that would
/// have made two goes on, and any other may need nobody's approval now.
void judge_without_primary(Turn& t, std::span<const SiteClaim> claims) {
    if (!t.s.running || t.s.running->step != SwitchStep::awaiting_approval || !t.s.followed) return;
    Switch& s = *t.s.running;
    const SiteClaim& site = claims[t.s.followed->endpoint];
    if (s.by_primary && !t.s.claimed && !t.c.doubt && site.gone && site.judged) {
        s.by_primary = false;
        s.failure.clear();
        s.step = s.resume;
        s.step_since = t.c.now.wall;
        t.latched = true;
        t.say(Change::switch_step, Severity::warning, s.from + " is no longer primary: it goes on").subject =
            s.id;
        return;
    }
    const bool touched = s.resume != SwitchStep::prepare || s.fence_begun;
    if (touched || s.cause == SwitchCause::primary_gone || !primary_is_gone(t.s, t.c, claims)) return;
    if (!best_standby(t.s, t.c)) return;
    t.say(Change::switch_obsolete, Severity::info, "the primary is gone too: it is judged anew").subject = s.id;
    t.s.running.reset();
    t.latched = true;
}

} // namespace

RunbookView runbook_view(const ServiceState& s, const ServiceContext& c, std::span<const SiteClaim> claims) {
    RunbookView view{.service = c.service, .now = c.now};
    if (!s.running) return view;
    std::optional<EndpointIndex> to;
    for (EndpointIndex e = 0; e < c.service.endpoints.size(); ++e)
        if (c.model.datacenter_of(c.service, e).name == s.running->to) to = e;
    view.cause_holds = cause_holds(s, c, claims).value_or(true);
    if (to) {
        view.target_failed = target_failed(s, c, *to);
        view.guard = rpo_guard(s, c, *to);
        view.lag = lag_of(c, *to);
        // What was judged stays judged but for a lag that has grown: a dead primary cannot be sampled again.
        if (s.running->data_judged && !lag_exceeds(c, *to)) view.guard.reset();
    }
    auto left = seat(s, c);
    view.source_well = left && s.endpoints[*left].readiness != Readiness::unready && !apart_here(s, *left);
    if (!c.service.follows_primary()) {
        view.role_arrived = true;
        return view;
    }
    const std::string& at =
        s.followed ? c.model.datacenter_of(c.service, s.followed->endpoint).name : s.running->from;
    view.role_arrived = at == s.running->to;
    if (s.followed) { // a switch that has yet to come to promoting looks once more when it is there
        const bool promotes = s.running->step == SwitchStep::promote;
        view.source_claims = claims_since(claims[s.followed->endpoint],
                                          promotes ? c.now.at(s.running->step_since) : c.now.mono);
    }
    for (const SiteClaim& k : claims)
        if (k.dark)
            view.dark +=
                (view.dark.empty() ? "" : " and ") + c.model.datacenter_of(c.service, k.endpoint).name;
    for (const SiteClaim& k : claims) // a primary that appears anywhere ends the race before it is a race
        view.unsettled |=
            k.fresh && followable(k, s.followed) && (!s.followed || k.endpoint != s.followed->endpoint);
    view.unsettled |= to && !claims[*to].answers;
    view.still_there = s.claimed && at == s.running->from;
    view.role_elsewhere = at != s.running->to && at != s.running->from;
    return view;
}

void run_switch(Turn& t, std::span<const SiteClaim> claims) {
    if (!t.s.served || !t.s.orphan.empty()) return;
    // Under a freeze only what an operator began or approved in spite of it goes on.
    bool held = t.s.frozen && !(t.s.running && t.s.running->while_frozen);
    if (held) return;
    leave_window(t);
    judge_without_primary(t, claims);
    if (!t.s.running) {
        if (t.c.service.follows_primary()) start_following_service(t, claims);
        else start_latched_service(t);
    }
    if (!t.s.running || drained_away(t)) return;
    bool judges = !t.s.running->fence_begun || t.s.running->step == SwitchStep::promote;
    if (judges && !cause_holds(t.s, t.c, claims)) return; // cannot be told yet
    const SwitchStep was = t.s.running->step;
    RunbookStep step = advance(*t.s.running, t.s.hook_running, runbook_view(t.s, t.c, claims));
    t.latched |= step.changed;
    t.out.hooks.insert(t.out.hooks.end(), step.hooks.begin(), step.hooks.end());
    t.out.transitions.insert(t.out.transitions.end(), step.transitions.begin(), step.transitions.end());

    const SwitchStep is = t.s.running->step;
    bool moved =
        was < SwitchStep::after_failover && is >= SwitchStep::after_failover && is != SwitchStep::obsolete;
    if (moved && !t.c.service.follows_primary()) {
        auto to = t.endpoint_in(t.s.running->to);
        if (to && t.s.active != to && !target_failed(t.s, t.c, *to)) {
            t.why = "switched to " + t.s.running->to + ": " + t.s.running->reason;
            t.s.active = to;
            ++t.s.moves;
            t.s.active_since = t.c.now.mono;
        }
    }
    if (step.ended && is == SwitchStep::done) await_rejoin(t, *t.s.running);
    if (!step.ended) look_at_source(t, claims);
    if (step.ended) t.s.running.reset();
    else if (step.due) t.due(t.c.now.at(*step.due));
}

} // namespace fairway::policies
