// The stage that makes the plan: what it rests on, and what each endpoint would answer (L7, L8, L11, L14).
#include "policies/all_down.hpp"
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

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

/// What a plan can rest on. A half whose family no endpoint has is NODATA, whatever else there is.
enum class Footing { no_address, excluded, nothing_fit, followed, group, policy };

Footing footing(const Turn& t, std::span<const Candidate> list) {
    if (!has_family(t.c.service)) return Footing::no_address;
    if (std::ranges::all_of(t.s.endpoints, &EndpointState::excluded)) return Footing::excluded;
    if (t.led_by_role && t.s.active)
        return t.s.endpoints[*t.s.active].excluded ? Footing::excluded : Footing::group;
    if (!t.c.service.follows_primary()) {
        if (t.apart && (!t.s.active || !t.s.endpoints[*t.s.active].excluded)) return Footing::group;
        return std::ranges::any_of(list, &Candidate::fit) ? Footing::policy : Footing::nothing_fit;
    }
    if (!t.s.followed) return Footing::nothing_fit;
    if (t.s.endpoints[t.s.followed->endpoint].excluded) return Footing::excluded;
    bool give_up = t.s.no_primary_critical && t.c.service.on_no_primary == Service::OnNoPrimary::on_all_down;
    return give_up ? Footing::nothing_fit
                   : Footing::followed; // the followed site stays, whatever is fit (L14)
}

/// Tells when its footing is lost and regained, and `plan` is answered instead.
void tell_footing(Turn& t, Footing g, const AnswerPlan& plan) {
    const bool down = g == Footing::nothing_fit, excluded = g == Footing::excluded;
    const bool was_down = std::exchange(t.s.all_down, down),
               was_excluded = std::exchange(t.s.all_excluded, excluded);
    if (!was_excluded) t.s.excluded_since = t.c.now.mono;
    if (down == was_down && excluded == was_excluded) return;
    t.news = true;
    const Cause cause = reason_of(t, t.s.plan, plan);
    if (down && !was_down) {
        t.s.all_down_since = t.c.now.mono;
        t.say(Change::all_down, Severity::critical, cause.why).evidence = cause.evidence;
    }
    if (excluded && !was_excluded) t.say(Change::all_down, Severity::critical, cause.why);
    if (!down && !excluded) t.say(Change::all_down_over, Severity::info, cause.why);
}

/// A standby that could take over; until one is known again (after a restart), the one that was answered.
AnswerPlan standby_plan(const Turn& t, std::span<const Candidate> list) {
    for (const Candidate& k : list)
        if (can_take_over(t.s, t.c, k.endpoint)) return only(k);
    EndpointIndex last = t.s.last_good.empty() ? t.s.followed->endpoint : t.s.last_good.front();
    return only(list[t.s.endpoints[last].excluded ? t.s.followed->endpoint : last]);
}

/// It is fit somewhere, but nowhere where all of its group are: nobody moves. Without a place to stay at,
/// each answers for itself.
AnswerPlan group_plan(Turn& t, std::vector<Candidate> list) {
    if (t.s.active) return only(list[*t.s.active]);
    const auto stays = [&](const Candidate& k) {
        return k.usable || std::ranges::find(t.s.last_good, k.endpoint) != t.s.last_good.end();
    };
    const bool any = std::ranges::any_of(
        list, [&](auto& k) { return stays(k) && !t.s.endpoints[k.endpoint].excluded && k.answers(); });
    for (Candidate& k : list) {
        const EndpointState& state = t.s.endpoints[k.endpoint];
        k.fit = !state.excluded && (any ? stays(k) : state.fit || state.pressed);
        k.usable = k.fit;
    }
    return select({t.c.model, t.c.service, list}, t.s.active, t.s.previous);
}

/// What `last_good` means: of services that move together, where they are by now.
std::vector<EndpointIndex> good_before(const Turn& t) {
    const auto& group = t.c.service.group;
    const bool moves_along = group && t.c.model.groups[*group].ordered && t.s.active;
    return moves_along ? std::vector{*t.s.active} : t.s.last_good;
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
        const EndpointState& state = s.endpoints[k.endpoint];
        // Where the brake keeps those it moves with, a service that is fit stays with them.
        const bool with_all = state.together != Readiness::unready || state.together_usable;
        k.fit = (state.fit || state.pressed) && with_all;
        k.usable = k.fit || (state.braked && with_all);
        if (auto step = s.endpoints[k.endpoint].ramp_step; step && *step < c.service.ramp.steps.size())
            k.part = c.service.ramp.steps[*step];
        k.degraded = s.endpoints[k.endpoint].degraded;
        k.share = s.endpoints[k.endpoint].share;
        if (k.endpoint < s.shedding.limits.size()) k.limit = s.shedding.limits[k.endpoint];
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

namespace {

AnswerPlan plan_on(Footing g, Turn& t, std::vector<Candidate> list) {
    switch (g) {
    case Footing::no_address: return {.kind = AnswerPlan::Kind::nodata};
    case Footing::excluded: return {};
    case Footing::nothing_fit:
        return all_down(t.c.model, t.c.service, not_excluded(t.s, t.c), good_before(t), t.s.active);
    case Footing::followed: return followed_plan(t, list);
    case Footing::group: return group_plan(t, std::move(list));
    case Footing::policy: break;
    }
    return select({t.c.model, t.c.service, list}, t.s.active, t.s.previous);
}

} // namespace

AnswerPlan make_plan(Turn& t) {
    if (!t.s.served) return t.s.keeps_plan ? t.s.plan : AnswerPlan{};
    auto list = candidates(t.s, t.c);
    const Footing g = footing(t, list);
    AnswerPlan plan = plan_on(g, t, std::move(list));
    tell_footing(t, g, plan);
    return plan;
}

} // namespace fairway::policies
