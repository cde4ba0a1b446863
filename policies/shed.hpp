// Shedding: how much of a service's traffic each site may keep, by a load that is seen late (P15).
//
// A control loop around a delay of which only the least is known. It acts at most once in that delay, and
// only once the effect of the act before has been seen; each step is bounded and goes a part of the way; in
// a band below the watermark it rests. A load that nobody reports moves nothing.
#pragma once

#include "config/model.hpp"

#include <optional>
#include <span>
#include <vector>

namespace fairway::policies {

/// A site as the loop sees it.
struct LoadedSite {
    bool fit = false;
    std::optional<double> use; ///< its load, in parts of its capacity; unset: not known, or too old
    double share = 0;          ///< the most that it gets of any clients now
};

/// What is remembered between two acts. Indices are the service's endpoints.
struct Shedding {
    /// Of the act whose effect is waited for: the site that it moved most, and by how much.
    struct Awaited {
        EndpointIndex endpoint = 0;
        double use = 0, factor = 1;
    };
    std::vector<double> limits; ///< the part of any clients that a site may get; 1: all of them
    std::optional<Instant> acted;
    Duration lag{}; ///< as measured; below LoadSettings::lag that counts
    std::optional<Awaited> awaited;
    std::vector<double> shares; ///< what the sites got when the loop last looked
};

struct ShedStep {
    std::vector<EndpointIndex> moved; ///< whose limit is another now
    std::optional<Instant> due;       ///< look again then
};

/// One look; `sites` has one of each endpoint.
ShedStep shed(Shedding& s, std::span<const LoadedSite> sites, const LoadSettings& settings, Instant now);

/// Is there load above the watermark that no other site has room for?
bool nowhere_to_go(std::span<const LoadedSite> sites, const LoadSettings& settings);

/// Shares as near to `wanted` (which sum to 1) as `limits` allow: what is beyond goes to those with room in
/// proportion, or with `in_turn` to the next round the list. If all limits together are too low they are
/// stretched alike.
std::vector<double> within_limits(std::span<const double> wanted, std::span<const double> limits,
                                  bool in_turn);

} // namespace fairway::policies
