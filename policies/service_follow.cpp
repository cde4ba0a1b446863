// The stage that follows the primary: claims in, the followed site, its alarms and its hold out (L13, L14).
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

std::vector<SiteClaim> claims_of(const ServiceContext& c) {
    std::vector<SiteClaim> claims;
    for (EndpointIndex e = 0; e < c.bound.size(); ++e)
        claims.push_back(claim_of(e, c.bound[e], c.members, c.now.mono));
    return claims;
}

namespace {

std::string list_of(const Turn& t, std::span<const EndpointIndex> endpoints) {
    std::string text;
    for (EndpointIndex e : endpoints) text += (text.empty() ? "" : " and ") + t.datacenter(e);
    return text;
}

std::string epoch_text(const std::optional<std::uint64_t>& epoch) {
    return epoch ? "epoch " + std::to_string(*epoch) : std::string("no epoch");
}

void look_at(Turn& t, std::span<const EndpointIndex> endpoints) {
    for (EndpointIndex e : endpoints)
        for (const BoundCheck& b : t.c.bound[e].stateful)
            for (MemberSlot slot : b.members) t.out.look.push_back(t.c.members[slot].id);
}

void tell_two_primaries(Turn& t, const FollowDecision& d) {
    if (!d.primaries.empty() && t.s.primaries.empty())
        t.say(Change::two_primaries, Severity::critical,
              list_of(t, d.primaries) +
                  " are primary at the same time: nothing moves until one of them is gone");
    if (d.primaries.empty() && !t.s.primaries.empty())
        t.say(Change::two_primaries_over, Severity::info, "only one site claims to be primary again");
    if (t.s.primaries.empty()) t.s.primaries_since = t.c.now.mono;
    t.s.primaries = d.primaries;
}

void tell_refused_claims(Turn& t, const FollowDecision& d, std::span<const SiteClaim> claims) {
    for (EndpointIndex e : d.refused) {
        if (std::ranges::find(t.s.refused_claims, e) != t.s.refused_claims.end()) continue;
        const std::string& dc = t.datacenter(e);
        auto& said =
            t.say(Change::stale_claim, Severity::critical,
                  dc + " claims to be primary with " + epoch_text(claims[e].epoch) +
                      (claims[e].system != t.s.followed->system ? " of another system" : "") + ", but " +
                      epoch_text(t.s.followed->epoch) + " was followed: not believed; `fairwayctl failover " +
                      t.c.service.title() + " --to " + dc + " --accept-claim` takes it");
        said.datacenter = dc;
    }
    if (t.s.refused_claims.empty()) t.s.refused_since = t.c.now.mono;
    t.s.refused_claims = d.refused;
}

void take_followed(Turn& t, const FollowDecision& d) {
    const auto& old = t.s.followed;
    bool changed = d.followed && (!old || old->epoch != d.followed->epoch ||
                                  old->system != d.followed->system || old->endpoint != d.followed->endpoint);
    if (!changed || t.frozen) return;
    if (d.moved) {
        t.why =
            t.datacenter(d.followed->endpoint) + " holds the primary (" + epoch_text(d.followed->epoch) + ")";
        auto& said = t.say(Change::primary_followed, Severity::info, t.why);
        said.from = old ? t.datacenter(old->endpoint) : "";
        said.to = said.datacenter = t.datacenter(d.followed->endpoint);
    }
    t.s.followed = d.followed;
    t.latched = t.news = true;
}

/// The primary is seen, or nothing can be said of it: at the start, under self-doubt, and through faults of
/// our own.
void expect_primary(Turn& t, bool blind) {
    if (t.s.claimed) {
        if (t.s.no_primary) t.say(Change::no_primary_over, Severity::info, "a primary is seen again");
        t.latched |= t.s.no_primary;
        t.news |= t.s.no_primary;
        t.s.no_primary = t.s.no_primary_critical = false;
        t.s.unclaimed_since.reset();
    } else if (blind && !t.s.no_primary) t.s.unclaimed_since.reset();
}

/// No primary is held without limit; after `no_primary_hold` it is critical (L14).
void hold_without_primary(Turn& t, const FollowDecision& d, std::span<const SiteClaim> claims) {
    t.s.claimed = d.claimed;
    const SiteClaim* site = t.s.followed ? &claims[t.s.followed->endpoint] : nullptr;
    bool blind =
        t.c.doubt || (site && site->unseen); // silence, or nothing at all, says nothing of the primary
    if (d.claimed || blind || !t.s.served) return expect_primary(t, blind);
    if (!t.s.unclaimed_since) t.s.unclaimed_since = t.c.now.mono;
    if (site && !lost(*site, t.s.followed) && !t.s.no_primary) return;
    if (!std::exchange(t.s.no_primary, true)) {
        t.latched = true; // since when is durable: a restart does not begin the hold anew
        std::string risk;
        if (t.s.followed)
            if (const auto begin = primary_lost(t.c, t.s.followed->endpoint))
                risk = note_fault(t, t.s.followed->endpoint, *begin);
        t.say(Change::no_primary, Severity::warning,
              (t.s.followed ? "held: no primary; the answer stays at " + t.datacenter(t.s.followed->endpoint)
                            : "no primary is seen") +
                  risk);
    }
    if (t.s.followed && only_played(t.c, t.s.followed->endpoint)) return; // it is there all the same
    Instant limit = *t.s.unclaimed_since + t.c.service.no_primary_hold;
    if (t.c.now.mono < limit) return t.due(limit);
    if (site && !site->judged) return; // after a restart: its members are asked first
    if (!std::exchange(t.s.no_primary_critical, true)) {
        t.latched = true;
        t.say(Change::no_primary_critical, Severity::critical,
              "no primary for " + brief(t.c.service.no_primary_hold) +
                  ": promote one, or mend the one there was");
    }
}

/// Holds the primary while its application is down (L14).
void tell_partial_failure(Turn& t, std::span<const SiteClaim> claims) {
    bool partial = t.s.followed && claims[t.s.followed->endpoint].fresh &&
                   !t.s.endpoints[t.s.followed->endpoint].excluded &&
                   application_fails(t.c, t.s.followed->endpoint);
    if (partial && !t.s.partial_failure) {
        EndpointIndex e = t.s.followed->endpoint;
        auto& said = t.say(
            Change::partial_failure, Severity::critical,
            t.datacenter(e) + " holds the primary but its application is down: " + unfit_reason(t.s, t.c, e));
        said.datacenter = t.datacenter(e);
    }
    if (!t.s.partial_failure) t.s.partial_since = t.c.now.mono;
    t.s.partial_failure = partial;
}

} // namespace

bool follow_primary(Turn& t, std::vector<SiteClaim>& claims) {
    if (!t.c.service.follows_primary()) return false;
    claims = claims_of(t.c);
    FollowDecision d = follow(t.s.followed, claims);
    look_at(t, d.look);
    tell_two_primaries(t, d);
    tell_refused_claims(t, d, claims);
    take_followed(t, d);
    hold_without_primary(t, d, claims);
    tell_partial_failure(t, claims);
    for (const SiteClaim& c : claims)
        if (c.stale_at) t.due(*c.stale_at + 1ns);
    if (!t.s.followed) return false;
    const SiteClaim& site = claims[t.s.followed->endpoint];
    return site.fresh && site.confirmed && followable(site, t.s.followed);
}

} // namespace fairway::policies
