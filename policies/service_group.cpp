// Services that move together: what each says of a datacenter is joined before any of them decides.
//
// A datacenter is usable for the group where every service that has an endpoint there is fit. A service that
// is fit nowhere binds nobody: no move would help it, and the others must not be held by it. Where all are
// fit nowhere nobody moves, which L10 allows for groups alone.
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

std::optional<EndpointIndex> endpoint_at(const Turn& t, DatacenterIndex site) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e)
        if (t.c.service.endpoints[e].datacenter == site) return e;
    return std::nullopt;
}

/// Where the primary is the role alone has led, not fitness; of its standbys the application counts.
Readiness verdict(const Turn& t, EndpointIndex e) {
    const EndpointState& state = t.s.endpoints[e];
    if (t.c.service.follows_primary()) return state.assessment.application;
    if (state.fit || state.pressed) return Readiness::ready;
    return state.readiness == Readiness::undecided ? Readiness::undecided : Readiness::unready;
}

/// Of those not fit nowhere: these have a say in where the group is.
bool binds(const Turn& t) {
    for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e)
        if (!t.s.endpoints[e].excluded && verdict(t, e) != Readiness::unready) return true;
    return false;
}

/// What the others say of one of its datacenters.
void hear(Turn& t, EndpointIndex e, std::span<Turn> turns) {
    EndpointState& state = t.s.endpoints[e];
    state.together = Readiness::ready;
    state.together_usable = true;
    state.apart.clear();
    state.together_since = {};
    state.group_risk.reset();
    for (const Turn& other : turns) {
        if (&other == &t || !binds(other)) continue;
        const auto there = endpoint_at(other, t.c.service.endpoints[e].datacenter);
        if (!there || other.s.endpoints[*there].excluded) continue;
        const Readiness r = verdict(other, *there);
        state.together_since = std::max(state.together_since, passing_since(other.c, *there));
        if (r == Readiness::ready) continue;
        state.together_usable &= other.s.endpoints[*there].braked;
        if (state.together != Readiness::unready) state.together = r;
        if (state.apart.empty())
            state.apart = other.c.service.title() + ", which moves with it, is not fit there: " +
                          unfit_reason(other.s, other.c, *there);
    }
}

void hear_all(std::span<Turn> turns) {
    for (Turn& t : turns)
        for (EndpointIndex e = 0; e < t.s.endpoints.size(); ++e) hear(t, e, turns);
}

/// Fit somewhere, but nowhere where the others are.
bool apart(const Turn& t) {
    if (t.c.service.follows_primary()) return false; // the role alone moves it
    bool alone = false;
    for (const EndpointState& e : t.s.endpoints) {
        if (e.excluded || !(e.fit || e.pressed)) continue;
        if (e.together != Readiness::unready || e.together_usable) return false;
        alone = true;
    }
    return alone;
}

void press(std::span<Turn> turns) {
    for (Turn& t : turns)
        if (!t.c.service.follows_primary()) press_into_service(t, none_fit(t.s));
    hear_all(turns);
    if (std::ranges::none_of(turns, apart)) return;
    for (Turn& t : turns)
        if (!t.c.service.follows_primary()) press_into_service(t, true);
    hear_all(turns);
}

/// A leader that is fit nowhere decides for those that are fit somewhere.
void stand_in(std::span<Turn> turns) {
    const Turn& leader = turns.front();
    const bool needed = !binds(leader) && std::ranges::any_of(turns.subspan(1), binds);
    for (Turn& t : turns)
        for (EndpointState& e : t.s.endpoints)
            e.stands_in = needed && &t == &leader && !e.excluded && e.together == Readiness::ready;
}

/// What keeps the group from being where all of it is fit.
std::string trouble(const Group& group, std::span<const Turn> turns) {
    const Turn& leader = turns.front();
    if (leader.c.service.follows_primary()) {
        if (!leader.s.followed) return {};
        const EndpointState& seat = leader.s.endpoints[leader.s.followed->endpoint];
        return seat.together == Readiness::unready
                   ? leader.datacenter(leader.s.followed->endpoint) + " has the primary, but " + seat.apart
                   : std::string();
    }
    const auto it = std::ranges::find_if(turns, &Turn::apart);
    if (it == turns.end()) return {};
    std::string text =
        "nobody of the group " + group.name + " moves: there is no datacenter where all are fit";
    for (EndpointIndex e = 0; e < it->s.endpoints.size(); ++e)
        if (const EndpointState& state = it->s.endpoints[e]; !state.apart.empty())
            text += "; " + it->datacenter(e) + ": " + state.apart;
    return text;
}

void tell_trouble(Turn& t, std::string now) {
    if (now.empty() != t.s.group_held.empty()) {
        t.s.group_held_since = t.c.now.mono;
        if (now.empty())
            t.say(Change::group_free, Severity::info, "the group has a datacenter where all are fit");
        else t.say(Change::group_held, Severity::critical, now);
    }
    t.s.group_held = std::move(now);
}

/// A risk to the data of any of them is one to the move of all (L16).
void hear_risks(std::span<Turn> turns) {
    Turn& leader = turns.front();
    for (EndpointIndex e = 0; e < leader.s.endpoints.size(); ++e)
        for (const Turn& other : turns.subspan(1)) {
            const auto there = endpoint_at(other, leader.c.service.endpoints[e].datacenter);
            if (other.c.service.follows_primary() || !there || !other.s.active || *other.s.active == *there)
                continue;
            auto risk = rpo_guard(other.s, other.c, *there);
            if (risk) leader.s.endpoints[e].group_risk = other.c.service.title() + ": " + *risk;
        }
}

/// Where the leader is: what it answers under `on_no_primary`, the primary's place, or its latch.
std::optional<DatacenterIndex> place_of(const Turn& leader) {
    const auto& all = leader.c.service.endpoints;
    if (!leader.s.followed)
        return leader.s.active ? std::optional(all[*leader.s.active].datacenter) : std::nullopt;
    const auto& answered = leader.s.plan.choices;
    const bool one = answered.size() == 1 && answered[0].endpoint != no_endpoint && !leader.s.all_down;
    return all[one ? answered[0].endpoint : leader.s.followed->endpoint].datacenter;
}

} // namespace

void join(const Group& group, std::span<Turn> turns) {
    hear_all(turns);
    press(turns);
    for (Turn& t : turns) t.apart = apart(t);
    stand_in(turns);
    tell_trouble(turns.front(), trouble(group, turns));
    if (!group.ordered) return;
    hear_risks(turns);
    for (Turn& t : turns.subspan(1)) {
        t.led = true;
        t.led_by_role = turns.front().c.service.follows_primary();
        t.frozen = t.frozen && turns.front().frozen; // what an operator lets the leader do, it does for all
    }
}

void go_along(Turn& t, const Turn& leader) {
    const auto site = place_of(leader);
    if (t.c.service.follows_primary() || t.frozen || !site) return;
    const auto to = endpoint_at(t, *site);
    if (!to || t.s.active == to) return;
    if (!t.s.active) {
        t.s.active = to;
        t.s.active_since = t.c.now.mono;
        t.latched = true;
        return;
    }
    // Put together by a reload: who is well where it is does not go where it is not. The leader comes.
    const bool worse = !usable_here(t.s.endpoints[*to]) && usable_here(t.s.endpoints[*t.s.active]);
    if (worse && !t.led_by_role) return;
    move_latch(t, *to, Change::failover,
               "moves together with " + leader.c.service.title() +
                   (leader.why.empty() ? "" : ": " + leader.why));
}

} // namespace fairway::policies
