// Redundancy (L21): how many more failure domains a service survives the loss of, and whether its objectives
// could be met if one were lost now.
#pragma once

#include "policies/selection.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fairway::policies {

struct Redundancy {
    unsigned survives = 0; ///< failure domains that may be lost now, one after the other
    unsigned designed = 0; ///< if all were well
    bool lost() const { return survives < designed; }
    bool operator==(const Redundancy&) const = default;
};

/// Region and zone; a datacenter without either is a domain of its own.
std::string failure_domain(const Datacenter& d);

/// `able[e]`: endpoint e serves, or could take over. A strongly consistent store that is not switched by a
/// runbook needs a majority of its domains, so it survives fewer losses than there are domains left.
Redundancy redundancy(const Model& model, const Service& service, const std::vector<bool>& able);

/// Why the objectives could not be met if the active site were lost now; empty: they could. `lag` is that of
/// the standby that would take over, or of the worst of an eventually consistent store; unset: unknown.
struct Standing {
    Redundancy redundancy;
    bool store = false; ///< something reports a lag, or should
    std::optional<Duration> lag;
};
std::string missed_objectives(const Service& service, const Standing& now);

} // namespace fairway::policies
