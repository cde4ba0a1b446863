#include "policies/follow.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// How long a claim is believed without a new answer.
Duration believed_for(const CheckTiming& t) { return 2 * t.interval + t.timeout; }

/// A site that reports about itself and has stopped is unknown at first; after so many times to live it no
/// longer holds what it claimed. What we look at ourselves stays unknown as long as the fault is ours.
constexpr int silences_believed = 3;

bool stopped_reporting(const MemberState& m, Instant now) {
    const Check& check = *m.spec.check;
    return std::holds_alternative<PushCheck>(check.kind) &&
           now - m.health.claim.ended > silences_believed * believed_for(check.timing);
}

void merge(SiteClaim& site, const MemberState& m, Instant now, bool& any) {
    const RoleTrack& t = m.health.claim;
    const CheckTiming& timing = m.spec.check->timing;
    // DOWN ends a claim; a claim made after that is a new one, and waits for neither rise nor hold-down (L1).
    bool down = m.health.works.verdict == Readiness::unready && t.ended <= m.health.works.since;
    bool young = now - t.ended <= believed_for(timing);
    bool primary = t.role == Role::primary && !down;

    site.roleless &= t.roleless >= timing.fall;
    site.answers |= t.role.has_value() && !down && young;
    bool never = t.ended == Instant{}; // has not answered yet: only silence for long enough makes that an end
    bool ended = down || t.otherwise >= timing.fall || (never ? t.roleless >= timing.fall : !young);
    bool unseen =
        t.role == Role::primary && m.health.last.outcome == Outcome::unknown && !stopped_reporting(m, now);
    if (unseen && std::holds_alternative<PushCheck>(m.spec.check->kind))
        site.stale_at = t.ended + silences_believed * believed_for(timing);
    site.unseen |= unseen;
    const Observation& last = m.health.last;
    site.dark |= last.begun == Instant{} || last.outcome == Outcome::unknown || m.health.held;
    site.judged &= (t.role && young) || t.roleless >= timing.fall;
    site.gone &= ended && !unseen;
    if (!primary || !young) return;

    bool better = !site.fresh || t.epoch.value_or(0) > site.epoch.value_or(0);
    site.fresh = true;
    site.stale_at = std::max(site.stale_at.value_or(Instant{}), t.ended + believed_for(timing));
    if (!better && any) return;
    any = true;
    site.confirmed = t.primary_looks >= 2;
    site.epoch = t.epoch;
    site.system = t.system;
    site.first_seen = t.primary_first;
    site.latest_begun = t.begun;
}

} // namespace

SiteClaim claim_of(EndpointIndex e, const BoundEndpoint& bound, std::span<const MemberState> members,
                   Instant now) {
    SiteClaim site{.endpoint = e, .gone = true, .roleless = true, .judged = true};
    bool any = false;
    for (const BoundCheck& b : bound.stateful)
        for (MemberSlot slot : b.members) merge(site, members[slot], now, any);
    return site;
}

bool followable(const SiteClaim& claim, const std::optional<Followed>& followed) {
    if (!followed) return true;
    if (!claim.system.empty() && !followed->system.empty() && claim.system != followed->system) return false;
    return !claim.epoch || !followed->epoch || *claim.epoch >= *followed->epoch;
}

bool lost(const SiteClaim& claim, const std::optional<Followed>& followed) {
    return claim.gone || (claim.fresh && claim.confirmed && !followable(claim, followed));
}

namespace {

/// Each was seen by a probe begun after the other was first seen: they are primaries at the same time.
bool at_once(const SiteClaim& a, const SiteClaim& b) {
    return a.latest_begun >= b.first_seen && b.latest_begun >= a.first_seen;
}

void two_claims(FollowDecision& d, std::span<const SiteClaim* const> fresh) {
    for (auto* a : fresh)
        if (std::ranges::any_of(fresh, [&](auto* b) { return a != b && at_once(*a, *b); }))
            d.primaries.push_back(a->endpoint);
    if (d.primaries.empty())
        for (auto* a : fresh) d.look.push_back(a->endpoint);
}

void one_claim(FollowDecision& d, const SiteClaim& claim, std::span<const SiteClaim> claims) {
    if (d.followed &&
        d.followed->endpoint == claim.endpoint) { // still there: remember the epoch it has reached
        if (claim.epoch) d.followed->epoch = claim.epoch;
        if (!claim.system.empty()) d.followed->system = claim.system;
        return;
    }
    auto old = std::ranges::find_if(
        claims, [&](auto& c) { return d.followed && c.endpoint == d.followed->endpoint; });
    bool free = !d.followed || old == claims.end() || lost(*old, d.followed);
    if (!free || !claim.confirmed) return;
    auto epoch = claim.epoch ? claim.epoch : (d.followed ? d.followed->epoch : std::nullopt);
    auto system = !claim.system.empty() ? claim.system : (d.followed ? d.followed->system : std::string{});
    d.followed = Followed{claim.endpoint, epoch, system};
    d.moved = true;
}

} // namespace

FollowDecision follow(const std::optional<Followed>& followed, std::span<const SiteClaim> claims) {
    FollowDecision d{.followed = followed};
    std::vector<const SiteClaim*> fresh;
    for (const SiteClaim& c : claims) {
        if (!c.fresh) continue;
        if (followable(c, followed)) fresh.push_back(&c);
        else d.refused.push_back(c.endpoint);
    }
    d.claimed = !fresh.empty();
    if (fresh.size() >= 2) two_claims(d, fresh);
    else if (fresh.size() == 1) one_claim(d, *fresh.front(), claims);
    return d;
}

} // namespace fairway::policies
