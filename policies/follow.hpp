// Following the primary (L13, L14): the role of the database alone moves traffic, and only when it is
// unambiguous.
#pragma once

#include "config/model.hpp"
#include "policies/readiness.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fairway::policies {

/// What a site's members say about being primary.
struct SiteClaim {
    EndpointIndex endpoint = 0;
    bool fresh = false;     ///< the latest answer says primary, and it is young enough
    bool confirmed = false; ///< seen by a re-test too (L1)
    bool gone = false;      ///< confirmed: DOWN, `fall` answers that say otherwise, or too old
    bool roleless = false;  ///< none of its members has reported any role for `fall` results (L15)
    bool answers = false;   ///< a member's latest answer names a role and is young enough
    bool judged = false;    ///< each of its members has answered lately, or failed `fall` times
    bool dark = false; ///< a member cannot be looked at now, has not been yet, or is silent and not believed
    bool unseen = false; ///< the member that held the claim cannot be looked at, by a fault of our own (L3)
    std::optional<std::uint64_t> epoch;
    std::string system;
    Instant first_seen{}, latest_begun{};
    std::optional<Instant> stale_at; ///< when silence alone ends its freshness
};

/// The claim that was believed last. Durable.
struct Followed {
    EndpointIndex endpoint = 0;
    std::optional<std::uint64_t> epoch;
    std::string system;
};

SiteClaim claim_of(EndpointIndex e, const BoundEndpoint& bound, std::span<const MemberState> members,
                   Instant now);

/// Never below the followed epoch, never of another system. A claim without an epoch counts as equal.
bool followable(const SiteClaim& claim, const std::optional<Followed>& followed);

/// The followed site no longer holds the primary: its claim is gone, or is one that is not believed any more.
bool lost(const SiteClaim& claim, const std::optional<Followed>& followed);

struct FollowDecision {
    std::optional<Followed> followed;     ///< what is followed from now on
    bool moved = false;                   ///< to another site, or for the first time
    bool claimed = false;                 ///< a followable claim is fresh
    std::vector<EndpointIndex> primaries; ///< two or more: nothing moves
    std::vector<EndpointIndex> refused;   ///< fresh claims that are not followable
    std::vector<EndpointIndex> look;      ///< look at these at once
};

FollowDecision follow(const std::optional<Followed>& followed, std::span<const SiteClaim> claims);

} // namespace fairway::policies
