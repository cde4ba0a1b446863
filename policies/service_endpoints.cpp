// The stage that judges the endpoints: fit, degraded, damped, excluded, and in what words (L1, L5, L7, L10).
#include "policies/overrides.hpp"
#include "policies/service.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

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

/// Since when automation holds an endpoint out: kept across a restart until it is decided again (L20).
void note_out(Turn& t, EndpointState& state, bool decided, bool fit) {
    const auto before = state.out_since;
    const bool kept = !decided && state.since == Instant{};
    const bool in = fit || state.excluded || state.share == 0 || !decided;
    if (in && !kept) state.out_since.reset();
    else if (!in && !state.out_since) // one that never was in counts as out for long (L9)
        state.out_since = state.was_fit ? t.c.now.mono : t.s.born - t.c.model.brake.within;
    t.noted |= state.was_fit && state.out_since != before;
}

std::string suppressed_text(const ServiceContext& c, const EndpointState& state) {
    Duration left = state.calm_since.value_or(c.now.mono) + calm_after - c.now.mono;
    return "suppressed: it flaps, and has to pass unbroken for " + brief(calm_after) + ", " +
           brief(std::max(left, Duration{})) + " left";
}

void tell_fitness(Turn& t, EndpointIndex e, const EndpointState& now) {
    const MemberState* m = culprit(t.c.bound[e], t.c.members);
    std::string why =
        now.fit ? t.datacenter(e) + " is fit" : t.datacenter(e) + " is not fit: " + unfit_reason(t.s, t.c, e);
    if (!now.fit && m) {
        t.evidence = evidence_of(*m);
        t.fault = m->health.first_failed;
    }
    const bool eventual = t.c.service.consistency == Service::Consistency::eventual;
    if (!now.fit && !now.excluded && eventual && !t.c.bound[e].stateful.empty())
        why += note_fault(t, e, t.fault.value_or(t.c.now.mono));
    t.because(e, std::move(why));
    if (!now.fit && m) {
        t.causes.back().evidence = t.evidence;
        t.causes.back().fault = t.fault;
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
        t.because(e, t.datacenter(e) + " is " + to);
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
    const std::string name = c.service.title();
    return ruling(c.overrides, place_of(c.model, c.service, name, c.model.datacenter_of(c.service, e).name),
                  c.now.wall);
}

/// Passes as it would have to where nothing else is fit: `rise` is enough (L10).
Assessment risen(const ServiceContext& c, EndpointIndex e) {
    return assess(c.service, c.service.endpoints[e], c.bound[e], c.members, Measure::risen);
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

/// It serves, or did until a restart that nothing was decided after yet (L20).
bool serves(const Turn& t, EndpointIndex e) {
    const EndpointState& state = t.s.endpoints[e];
    return state.fit || (t.s.warm && t.s.was_served && state.since == Instant{} &&
                         std::ranges::find(t.s.last_good, e) != t.s.last_good.end());
}

void assess_endpoint(Turn& t, EndpointIndex e) {
    const Endpoint& endpoint = t.c.service.endpoints[e];
    EndpointState& state = t.s.endpoints[e];
    bool lenient = t.c.service.consistency == Service::Consistency::eventual && serves(t, e);
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
               (forced || (!catches_up(t.s, t.c, e) && !damped(t, e, state)));
    bool decided = state.readiness != Readiness::undecided || state.excluded;
    bool changed = fit != state.fit || (state.since == Instant{} && decided);
    note_out(t, state, decided, fit);
    if (!changed) return;
    const bool returns = state.was_fit && state.damping.returned == t.c.now.mono && !forced;
    if (!fit) state.ramp_step.reset();
    else if (returns && !t.c.service.ramp.steps.empty()) {
        state.ramp_step = 0;
        state.ramp_since = t.c.now.mono;
    }
    t.news |= fit && state.pressed; // it needs no excuse any more
    state.fit = fit;
    const auto before = std::exchange(state.before, std::nullopt);
    const bool as_it_was = before && before->fit == fit;
    state.since = as_it_was ? before->since : t.c.now.mono;
    if (!as_it_was) tell_fitness(t, e, state);
    state.was_fit |= fit;
}

} // namespace

void assess_endpoints(Turn& t) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) assess_endpoint(t, e);
}

bool none_fit(const ServiceState& s) { return std::ranges::none_of(s.endpoints, &EndpointState::fit); }

bool may_press(const Turn& t, EndpointIndex e) {
    return !t.c.service.follows_primary() && !t.s.endpoints[e].excluded &&
           both(risen(t.c, e)) == Readiness::ready;
}

void press_into_service(Turn& t, bool needed) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) {
        EndpointState& state = t.s.endpoints[e];
        state.pressed = needed && may_press(t, e);
        if (!state.pressed) continue;
        state.assessment = risen(t.c, e);
        if (state.fit || std::exchange(state.pressed_told, true)) continue;
        t.because(e, t.datacenter(e) + " passes and nothing else is fit: used before its hold-down, or the "
                                       "calm that damping asks for, is over");
        t.say(Change::endpoint_pressed, Severity::warning, t.why).datacenter = t.datacenter(e);
    }
}

const Override* freezing_override(const ServiceContext& c) {
    return freezing(c.overrides, place_of(c.model, c.service, c.service.title()), c.now.wall);
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
    if (catches_up(s, c, e)) return "what the other sites wrote has not reached it yet";
    if (state.damping.suppressed) return suppressed_text(c, state);
    if (state.together != Readiness::ready && state.readiness == Readiness::ready) return state.apart;
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

} // namespace fairway::policies
