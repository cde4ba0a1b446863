#include "policies/selection.hpp"

namespace fairway::policies {

std::optional<EndpointIndex> best_in_order(const ActivePassive& p, std::span<const Candidate> candidates) {
    std::optional<EndpointIndex> best;
    for (EndpointIndex e : p.order)
        if (candidates[e].usable && (!best || candidates[e].rank() < candidates[*best].rank())) best = e;
    return best;
}

} // namespace fairway::policies
