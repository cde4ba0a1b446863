#include "policies/selection.hpp"

namespace fairway::policies {

std::optional<EndpointIndex> best_in_order(const ActivePassive& p, std::span<const Candidate> candidates) {
    std::optional<EndpointIndex> second;
    for (EndpointIndex e : p.order) {
        if (candidates[e].fit) return e;
        if (candidates[e].usable && !second) second = e;
    }
    return second;
}

} // namespace fairway::policies
