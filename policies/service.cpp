// The turn's own words, when a service is opened, and how long its answers may be kept.
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

std::optional<EndpointIndex> Turn::endpoint_in(std::string_view name) const {
    for (EndpointIndex e = 0; e < c.service.endpoints.size(); ++e)
        if (datacenter(e) == name) return e;
    return std::nullopt;
}

Transition& Turn::say(Change change, Severity severity, std::string reason) {
    out.transitions.push_back({.change = change,
                               .severity = severity,
                               .service = c.service.title(),
                               .reason = std::move(reason),
                               .decided = c.now.mono});
    return out.transitions.back();
}

void Turn::because(EndpointIndex e, std::string reason) {
    why = std::move(reason);
    causes.push_back({e, why, {}, {}});
}

void Turn::due(Instant when) {
    if (when > c.now.mono) s.due = std::min(s.due.value_or(Instant::max()), when);
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

/// The plan names what an operator has taken out by now.
bool answers_excluded(const Turn& t) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) {
        const auto& its = t.c.service.endpoints[e].addresses;
        const auto named = [&](const Choice& k) {
            return k.endpoint == e || (k.endpoint == no_endpoint &&
                                       std::ranges::find_first_of(k.addresses, its) != k.addresses.end());
        };
        if (t.s.endpoints[e].excluded && std::ranges::any_of(t.s.plan.choices, named)) return true;
    }
    return false;
}

} // namespace

void open_service(Turn& t, bool claim_confirmed) {
    if (t.s.served) return;
    if (t.s.keeps_plan && t.c.doubt) t.s.born = t.c.now.mono; // what doubts itself decides nothing anew
    Duration age = t.c.now.mono - t.s.born;
    bool any_fit = std::ranges::any_of(t.s.endpoints, &EndpointState::fit);
    bool all_decided = std::ranges::all_of(
        t.s.endpoints, [](auto& e) { return e.excluded || e.readiness != Readiness::undecided; });
    bool ready = t.c.service.follows_primary()
                     ? claim_confirmed || (t.s.warm && t.s.followed)
                     : all_decided || (any_fit && (preferred_decided(t) || age >= patience_if_any_fit));
    ready |= t.s.warm && t.s.was_served && !t.s.keeps_plan; // a restart within 60 s changes no answer
    const bool taken_out = t.s.keeps_plan && answers_excluded(t);
    if (!ready && !taken_out && age < patience) {
        if (any_fit) t.due(t.s.born + patience_if_any_fit);
        t.due(t.s.born + patience);
        return;
    }
    t.s.served = true;
    if (std::exchange(t.s.keeps_plan, false) && ready) return; // nothing new: it was served before the reload
    if (ready && t.s.resumes) return;                          // nor was it silent in between
    if (ready) t.say(Change::served, Severity::info, t.why.empty() ? "decided" : t.why);
    else if (taken_out)
        t.say(Change::undecided_over, Severity::warning,
              "an operator took out what it was answered before the reload: on_all_down applies");
    else
        t.say(Change::undecided_over, Severity::warning,
              t.s.followed ? "10 s passed without a claim to be primary: the site followed last is answered"
                           : "10 s passed without a decision: on_all_down applies");
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
