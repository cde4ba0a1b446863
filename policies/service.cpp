#include "policies/service.hpp"
#include "policies/all_down.hpp"
#include "policies/brake.hpp"
#include "policies/overrides.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

std::optional<EndpointIndex> Turn::endpoint_in(std::string_view name) const {
    for (EndpointIndex e = 0; e < c.service.endpoints.size(); ++e)
        if (datacenter(e) == name) return e;
    return std::nullopt;
}

Transition& Turn::say(Change change, Severity severity, std::string reason) {
    out.transitions.push_back({.change = change,
                               .severity = severity,
                               .service = c.service.name.to_string(),
                               .reason = std::move(reason),
                               .decided = c.now.mono});
    return out.transitions.back();
}

void Turn::due(Instant when) {
    if (when > c.now.mono) s.due = std::min(s.due.value_or(Instant::max()), when);
}

// ---- endpoints

namespace {

std::string lag_text(const MemberState& m) {
    const auto& limit = m.spec.check->requirements.max_lag;
    if (!m.lag || !limit) return {};
    return " lag=" + brief(m.lag->time) + " max_lag=" + brief(*limit);
}

std::string member_text(const MemberState& m) {
    std::string text = m.spec.check->name + " " + m.spec.target_text();
    const Observation& last = m.health.last;
    if (last.begun == Instant{}) return text + " not looked at yet";
    if (m.health.works.verdict == Readiness::ready && m.health.requirements() != Readiness::ready)
        return text + " does not meet its requirements (" + last.facts.to_string() + lag_text(m) + ")";
    if (last.outcome != Outcome::fail) return text + " passes, not for long enough yet";
    return text + ": " + std::string(fairway::to_string(last.reason)) +
           (last.detail.empty() ? "" : ", " + last.detail);
}

std::string percent(double part) { return std::to_string(std::lround(part * 100)) + "%"; }

/// What the members say that are not whole.
std::string degraded_text(const ServiceContext& c, EndpointIndex e) {
    for (auto* tier : {&c.bound[e].application, &c.bound[e].stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members) {
                const MemberState& m = c.members[slot];
                const Observation& last = m.health.last;
                if (m.health.whole.verdict == Readiness::unready)
                    return m.spec.check->name + " " + m.spec.target_text() + ": " +
                           std::string(fairway::to_string(last.reason)) +
                           (last.detail.empty() ? "" : ", " + last.detail);
            }
    return {};
}

std::vector<std::string> evidence_of(const MemberState& m) {
    std::vector<std::string> lines;
    for (const std::string& f : m.health.recent_failures)
        if (!f.empty()) lines.push_back(m.spec.check->name + " " + m.spec.target_text() + " " + f);
    return lines;
}

Readiness both(const Assessment& a) {
    if (a.application == Readiness::unready || a.stateful == Readiness::unready) return Readiness::unready;
    bool ready = a.application == Readiness::ready && a.stateful == Readiness::ready;
    return ready ? Readiness::ready : Readiness::undecided;
}

/// Since when automation holds an endpoint out. One that never was in counts as out for long (L9), but after
/// a warm restart its members remember when they went down.
Instant out_since(const Turn& t, EndpointIndex e, const EndpointState& was) {
    const MemberState* m = culprit(t.c.bound[e], t.c.members);
    bool before =
        t.s.warm && m && m->health.works.verdict == Readiness::unready && m->health.works.since < t.s.born;
    if (before) return m->health.works.since;
    if (was.was_fit) return t.c.now.mono;
    return t.s.born - t.c.model.brake.within;
}

std::string suppressed_text(const ServiceContext& c, const EndpointState& state) {
    Duration left = state.calm_since.value_or(c.now.mono) + calm_after - c.now.mono;
    return "suppressed: it flaps, and has to pass unbroken for " + brief(calm_after) + ", " +
           brief(std::max(left, Duration{})) + " left";
}

void tell_fitness(Turn& t, EndpointIndex e, const EndpointState& now) {
    const MemberState* m = culprit(t.c.bound[e], t.c.members);
    t.why =
        now.fit ? t.datacenter(e) + " is fit" : t.datacenter(e) + " is not fit: " + unfit_reason(t.s, t.c, e);
    if (!now.fit && m) {
        t.evidence = evidence_of(*m);
        t.fault = m->health.first_failed;
    }
    auto& said = t.say(now.fit ? Change::endpoint_fit : Change::endpoint_unfit,
                       now.fit ? Severity::info : Severity::warning, t.why);
    said.datacenter = t.datacenter(e);
    said.from = now.fit ? "unfit" : "fit";
    said.to = now.fit ? "fit" : "unfit";
    said.evidence = t.evidence;
    said.fault = t.fault;
}

/// Out by automation, ready again, and held because it flaps (L5). Under `follow` fitness moves no traffic.
bool damped(Turn& t, EndpointIndex e, EndpointState& state) {
    // A site that never was left does not return: the latch holds it, whatever its health was meanwhile.
    bool seat = t.s.active == e && std::holds_alternative<ActivePassive>(t.c.service.policy);
    if (seat || t.c.service.follows_primary()) t.noted |= std::exchange(state.damping.suppressed, false);
    bool returns = state.was_fit && !state.fit && (state.out_since || state.damping.suppressed);
    if (!returns || seat || t.c.service.follows_primary()) return false;
    bool was = state.damping.suppressed;
    Instant since = state.calm_since.value_or(t.c.now.mono);
    t.noted |= lets_return(state.damping, since, t.c.now.mono) || !was;
    if (!state.damping.suppressed) return false;
    t.due(since + calm_after);
    if (was) return true;
    t.say(Change::endpoint_suppressed, Severity::warning, t.datacenter(e) + " " + suppressed_text(t.c, state))
        .datacenter = t.datacenter(e);
    return true;
}

/// What it asks for itself, and whether it has lost something; neither is a failure.
void review_preference(Turn& t, EndpointIndex e, bool forced) {
    EndpointState& state = t.s.endpoints[e];
    const double share = forced ? 1 : share_of(t.c.bound[e], t.c.members);
    const auto told = [&](Change change, Severity severity, std::string from, std::string to) {
        t.why = t.datacenter(e) + " is " + to;
        auto& said = t.say(change, severity, t.why);
        said.datacenter = t.datacenter(e);
        said.from = std::move(from);
        said.to = std::move(to);
    };
    if (state.readiness == Readiness::ready) { // one that has failed is degraded, or not, when it returns
        const bool degraded =
            !forced && is_degraded(t.c.service, t.c.service.endpoints[e], t.c.bound[e], t.c.members);
        const bool was = std::exchange(state.degraded, degraded);
        if (degraded && !was)
            told(Change::endpoint_degraded, Severity::warning, "whole", "degraded: " + degraded_text(t.c, e));
        if (was && !degraded) told(Change::endpoint_degraded, Severity::info, "degraded", "whole");
    }
    const double before = std::exchange(state.share, share);
    if (before != share)
        told(Change::endpoint_share, Severity::info, "at " + percent(before),
             "at " + percent(share) + " of its share");
}

const Override* ruling_override(const ServiceContext& c, EndpointIndex e) {
    const std::string name = c.service.name.to_string();
    return ruling(c.overrides, {name, c.model.datacenter_of(c.service, e).name, c.service.tags}, c.now.wall);
}

/// As healthy as it can be; of a followed database only its own word counts (L19).
void force_up(Turn& t, EndpointState& state) {
    state.assessment.application = Readiness::ready;
    if (!t.c.service.follows_primary()) state.assessment.stateful = Readiness::ready;
    state.assessment.healthy.assign(state.assessment.healthy.size(), true);
    state.assessment.lost_v4 = state.assessment.lost_v6 = false;
    state.readiness = both(state.assessment);
    t.noted |= std::exchange(state.damping.suppressed, false);
}

/// Begin of the unbroken run of passes of all that holds the endpoint up now.
Instant calm_begin(const ServiceContext& c, EndpointIndex e) {
    Instant begin{};
    for (auto* tier : {&c.bound[e].application, &c.bound[e].stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members) {
                const MemberHealth& h = c.members[slot].health;
                if (h.ready() == Readiness::ready)
                    begin = std::max({begin, h.works.begin, h.meets.since, h.keeps_up.since});
            }
    return begin;
}

void assess_endpoint(Turn& t, EndpointIndex e) {
    const Endpoint& endpoint = t.c.service.endpoints[e];
    EndpointState& state = t.s.endpoints[e];
    bool lenient = t.c.service.consistency == Service::Consistency::eventual && state.fit;
    Measure measure = lenient ? Measure::lenient : Measure::verdict;
    state.assessment = assess(t.c.service, endpoint, t.c.bound[e], t.c.members, measure);
    state.readiness = both(state.assessment);
    const Override* o = ruling_override(t.c, e);
    state.excluded = excludes(o) || !named(t.c.service, e);
    bool forced = o && !excludes(o);
    if (forced) force_up(t, state);
    review_preference(t, e, forced);
    if (state.readiness != Readiness::ready) state.calm_since.reset();
    else if (!state.calm_since) state.calm_since = calm_begin(t.c, e);
    if (o) t.due(t.c.now.at(o->expires));

    bool drained = state.share == 0;
    bool fit = state.readiness == Readiness::ready && !state.excluded && !drained &&
               (forced || !damped(t, e, state));
    bool decided = state.readiness != Readiness::undecided || state.excluded;
    bool changed = fit != state.fit || (state.since == Instant{} && decided);
    if (fit || state.excluded || !decided || drained) state.out_since.reset();
    else if (!state.out_since) state.out_since = out_since(t, e, state);
    if (!changed) return;
    const bool returns = state.was_fit && state.damping.returned == t.c.now.mono && !forced;
    if (!fit) state.ramp_step.reset();
    else if (returns && !t.c.service.ramp.steps.empty()) {
        state.ramp_step = 0;
        state.ramp_since = t.c.now.mono;
    }
    state.fit = fit;
    state.since = t.c.now.mono;
    tell_fitness(t, e, state);
    state.was_fit |= fit;
}

} // namespace

void assess_endpoints(Turn& t) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) assess_endpoint(t, e);
}

/// Delays never take the last living site: with nothing fit, what passes (`rise` is met) is used at once
/// (L10).
void press_into_service(Turn& t) {
    bool needed = !t.c.service.follows_primary() && std::ranges::none_of(t.s.endpoints, &EndpointState::fit);
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) {
        EndpointState& state = t.s.endpoints[e];
        bool was = std::exchange(state.pressed, false);
        if (!needed || state.excluded) continue;
        Assessment early =
            assess(t.c.service, t.c.service.endpoints[e], t.c.bound[e], t.c.members, Measure::risen);
        if (both(early) != Readiness::ready) continue;
        state.pressed = true;
        state.assessment = early;
        if (was) continue;
        t.why = t.datacenter(e) + " passes and nothing else is fit: used before its hold-down, or the calm "
                                  "that damping asks for, is over";
        t.say(Change::endpoint_pressed, Severity::warning, t.why).datacenter = t.datacenter(e);
    }
}

std::string unfit_reason(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    const EndpointState& state = s.endpoints[e];
    if (const Override* o = ruling_override(c, e))
        return std::string(to_string(o->kind)) + " by " + o->operator_name + " (" + o->reason + ") until " +
               fairway::to_string(o->expires);
    if (state.excluded) return "weight 0 or not named by the policy";
    if (state.share == 0) return "drained: it asks for no traffic";
    const Endpoint& endpoint = c.service.endpoints[e];
    if (endpoint.alias && endpoint.addresses.empty())
        return endpoint.alias->to_string() + " has not been resolved";
    if (const MemberState* m = culprit(c.bound[e], c.members)) return member_text(*m);
    if (state.damping.suppressed) return suppressed_text(c, state);
    if (state.degraded) return "degraded: " + degraded_text(c, e);
    if (state.share < 1) return "its checks pass, at " + percent(state.share) + " of its share";
    return "its checks pass";
}

Instant passing_since(const ServiceContext& c, EndpointIndex e) {
    Instant begin{};
    for (auto* tier : {&c.bound[e].application, &c.bound[e].stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members) begin = std::max(begin, c.members[slot].health.works.begin);
    return begin;
}

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
    auto held = braked(out, count, t.c.model.brake, t.c.now.mono);
    for (EndpointIndex e = 0; e < out.size(); ++e) {
        bool brake =
            any_fit && held[e] && t.s.endpoints[e].was_fit; // with nothing fit the brake is not asked (L8)
        if (brake && !t.s.endpoints[e].braked) {
            auto& said = t.say(Change::endpoint_braked, Severity::warning,
                               t.datacenter(e) + " is unfit but stays: too many endpoints went at once; " +
                                   unfit_reason(t.s, t.c, e));
            said.datacenter = t.datacenter(e);
        } else if (!brake && t.s.endpoints[e].braked && !t.s.endpoints[e].fit)
            t.why = t.datacenter(e) + " goes out, the brake is released: " + unfit_reason(t.s, t.c, e);
        t.s.endpoints[e].braked = brake;
    }
    if (auto due = brake_due(out, t.c.model.brake, t.c.now.mono)) t.due(*due);
}

// ---- may it be served (L20)

namespace {

constexpr Duration patience_if_any_fit = 2s, patience = 10s;

bool preferred_decided(const Turn& t) {
    auto decided = [&](EndpointIndex e) {
        return t.s.endpoints[e].excluded || t.s.endpoints[e].readiness != Readiness::undecided;
    };
    if (auto* p = std::get_if<ActivePassive>(&t.c.service.policy)) {
        auto preferred =
            t.s.active ? t.s.active : (p->order.empty() ? std::nullopt : std::optional(p->order.front()));
        return preferred && decided(*preferred);
    }
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e)
        if (!decided(e)) return false;
    return true;
}

} // namespace

void open_service(Turn& t, bool claim_confirmed) {
    if (t.s.served) return;
    Duration age = t.c.now.mono - t.s.born;
    bool any_fit = std::ranges::any_of(t.s.endpoints, &EndpointState::fit);
    bool all_decided = std::ranges::all_of(
        t.s.endpoints, [](auto& e) { return e.excluded || e.readiness != Readiness::undecided; });
    bool ready = t.c.service.follows_primary()
                     ? claim_confirmed || (t.s.warm && t.s.followed)
                     : all_decided || (any_fit && (preferred_decided(t) || age >= patience_if_any_fit));
    ready |= t.s.warm && t.s.was_served && !t.s.keeps_plan; // a restart within 60 s changes no answer
    if (!ready && age < patience) {
        if (any_fit) t.due(t.s.born + patience_if_any_fit);
        t.due(t.s.born + patience);
        return;
    }
    t.s.served = true;
    if (std::exchange(t.s.keeps_plan, false) && ready) return; // nothing new: it was served before the reload
    if (ready) t.say(Change::served, Severity::info, t.why.empty() ? "decided" : t.why);
    else
        t.say(Change::undecided_over, Severity::warning,
              t.s.followed ? "10 s passed without a claim to be primary: the site followed last is answered"
                           : "10 s passed without a decision: on_all_down applies");
}

// ---- the plan

namespace {

bool has(const Service& s, EndpointIndex e, Family f) {
    return std::ranges::any_of(s.endpoints[e].addresses, [&](auto& a) { return a.family == f; });
}

/// A is answered as if healthy where only IPv4 was lost and no fit endpoint has any (L11).
void rescue_v4(const ServiceState& s, const ServiceContext& c, std::vector<Candidate>& list) {
    for (auto& k : list)
        if (k.fit && has(c.service, k.endpoint, Family::v4)) return;
    for (auto& k : list) {
        const EndpointState& e = s.endpoints[k.endpoint];
        if (e.assessment.lost_v4 && e.assessment.stateful == Readiness::ready && !e.excluded)
            k.fit = k.usable = true;
    }
}

std::vector<Candidate> not_excluded(const ServiceState& s, const ServiceContext& c) {
    std::vector<Candidate> list;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        const Endpoint& endpoint = c.service.endpoints[e];
        list.push_back(
            {e, false, !s.endpoints[e].excluded, endpoint.addresses, endpoint.weight, endpoint.cname});
    }
    return list;
}

/// What a plan can rest on.
enum class Footing { excluded, nothing_fit, followed, policy };

Footing footing(const Turn& t, std::span<const Candidate> list) {
    if (std::ranges::all_of(t.s.endpoints, &EndpointState::excluded)) return Footing::excluded;
    if (!t.c.service.follows_primary())
        return std::ranges::any_of(list, &Candidate::fit) ? Footing::policy : Footing::nothing_fit;
    if (!t.s.followed) return Footing::nothing_fit;
    if (t.s.endpoints[t.s.followed->endpoint].excluded) return Footing::excluded;
    bool give_up = t.s.no_primary_critical && t.c.service.on_no_primary == Service::OnNoPrimary::on_all_down;
    return give_up ? Footing::nothing_fit
                   : Footing::followed; // the followed site stays, whatever is fit (L14)
}

/// Tells when its footing is lost and regained.
void tell_footing(Turn& t, Footing g) {
    bool down = g == Footing::nothing_fit, excluded = g == Footing::excluded;
    if (down && !t.s.all_down) {
        t.s.all_down_since = t.c.now.mono;
        t.why = "nothing is fit, on_all_down is " + std::string(to_string(t.c.service.on_all_down.mode)) +
                (t.why.empty() ? "" : ": " + t.why);
        t.say(Change::all_down, Severity::critical, t.why).evidence = t.evidence;
    }
    if (excluded && !t.s.all_excluded) {
        t.why = "everything it could answer is excluded by an operator: SERVFAIL";
        t.say(Change::all_down, Severity::critical, t.why);
    }
    if ((t.s.all_down && !down) || (t.s.all_excluded && !excluded))
        t.say(Change::all_down_over, Severity::info, t.why.empty() ? "an endpoint is fit again" : t.why);
    t.s.all_down = down;
    if (!t.s.all_excluded) t.s.excluded_since = t.c.now.mono;
    t.s.all_excluded = excluded;
}

/// A standby that could take over; until one is known again (after a restart), the one that was answered.
AnswerPlan standby_plan(const Turn& t, std::span<const Candidate> list) {
    for (const Candidate& k : list)
        if (can_take_over(t.s, t.c, k.endpoint)) return only(k);
    EndpointIndex last = t.s.last_good.empty() ? t.s.followed->endpoint : t.s.last_good.front();
    return only(list[t.s.endpoints[last].excluded ? t.s.followed->endpoint : last]);
}

AnswerPlan followed_plan(const Turn& t, std::span<const Candidate> list) {
    bool standby = t.s.no_primary_critical && t.c.service.on_no_primary == Service::OnNoPrimary::standby;
    return standby ? standby_plan(t, list) : only(list[t.s.followed->endpoint]);
}

} // namespace

std::string site_of(const Choice& choice, const ServiceContext& c) {
    if (choice.endpoint == no_endpoint) return std::string(to_string(c.service.on_all_down.mode));
    return c.model.datacenter_of(c.service, choice.endpoint).name;
}

std::vector<Candidate> candidates(const ServiceState& s, const ServiceContext& c) {
    std::vector<Candidate> list = not_excluded(s, c);
    for (Candidate& k : list) {
        k.fit = s.endpoints[k.endpoint].fit || s.endpoints[k.endpoint].pressed;
        k.usable = k.fit || s.endpoints[k.endpoint].braked;
        if (auto step = s.endpoints[k.endpoint].ramp_step; step && *step < c.service.ramp.steps.size())
            k.part = c.service.ramp.steps[*step];
        k.degraded = s.endpoints[k.endpoint].degraded;
        k.share = s.endpoints[k.endpoint].share;
    }
    rescue_v4(s, c, list);
    for (Candidate& k :
         list) { // unhealthy addresses are withdrawn, unless that would withdraw all of a family asked for
        const EndpointState& e = s.endpoints[k.endpoint];
        std::vector<IpAddress> healthy;
        for (std::size_t i = 0; i < k.addresses.size(); ++i)
            if (e.assessment.healthy[i] || (e.assessment.lost_v4 && k.addresses[i].family == Family::v4))
                healthy.push_back(k.addresses[i]);
        if (!healthy.empty() && e.assessment.application == Readiness::ready)
            k.addresses = std::move(healthy);
        else if (k.fit && e.assessment.lost_v4) k.addresses = std::move(healthy);
    }
    return list;
}

AnswerPlan make_plan(Turn& t) {
    if (!t.s.served) return t.s.keeps_plan ? t.s.plan : AnswerPlan{};
    auto list = candidates(t.s, t.c);
    Footing g = footing(t, list);
    tell_footing(t, g);
    switch (g) {
    case Footing::excluded: return {};
    case Footing::nothing_fit:
        return all_down(t.c.model, t.c.service, not_excluded(t.s, t.c), t.s.last_good, t.s.active);
    case Footing::followed: return followed_plan(t, list);
    case Footing::policy: break;
    }
    return select({t.c.model, t.c.service, list}, t.s.active, t.s.previous);
}

// ---- TTL: `max` while nothing is pending, `min` until all has been quiet for `max`

namespace {

bool pending(const Turn& t) {
    if (t.c.doubt || t.s.running || t.s.no_primary || !t.s.primaries.empty()) return true;
    for (const auto& e : t.c.bound)
        for (auto* tier : {&e.application, &e.stateful})
            for (const BoundCheck& b : *tier)
                for (MemberSlot slot : b.members) {
                    const Run& run = t.c.members[slot].health.works;
                    bool leaving = run.fails > 0 && run.verdict != Readiness::unready;
                    bool returning = run.passes > 0 && run.verdict == Readiness::unready;
                    if (leaving || returning) return true;
                }
    return std::ranges::any_of(t.s.endpoints, [](auto& e) { return e.braked || e.ramp_step; });
}

} // namespace

std::uint32_t settle_ttl(Turn& t) {
    auto seconds = [](Duration d) {
        return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(d).count());
    };
    const Ttl& ttl = t.c.service.ttl;
    if (ttl.min == ttl.max) return seconds(ttl.max);
    bool unquiet = pending(t);
    if (unquiet || std::exchange(t.s.unquiet, unquiet)) t.s.noise = t.c.now.mono; // the end of it counts too
    t.s.unquiet = unquiet;
    if (!t.s.noise || t.c.now.mono - *t.s.noise >= ttl.max) return seconds(ttl.max);
    t.due(*t.s.noise + ttl.max);
    return seconds(ttl.min);
}

} // namespace fairway::policies
