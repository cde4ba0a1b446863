// Selection: from the endpoints that may be used to the plan that is answered. One file a policy.
//
// Filter, order, choose: who calls has filtered. Ties go to the earlier endpoint in the configuration.
#pragma once

#include "policies/answer_plan.hpp"

#include <span>
#include <vector>

namespace fairway::policies {

/// An endpoint as selection sees it.
struct Candidate {
    EndpointIndex endpoint = 0;
    bool fit = false;    ///< false with usable: braked or answered for want of better: ranks behind
    bool usable = false; ///< may be answered at all
    std::vector<IpAddress> addresses; ///< what it would answer
    std::uint32_t weight = 1;
    std::optional<Name> cname{}; ///< answered instead of addresses
    bool degraded = false;       ///< works, and ranks behind those that are whole
    double share = 1;            ///< of its weight, as it asks for itself
    /// Less is better.
    int rank() const { return fit ? int{degraded} : 2; }
    bool answers() const { return !addresses.empty() || cname; }
};

/// Active/passive: the best in `order`, by rank; nullopt if none is usable.
std::optional<EndpointIndex> best_in_order(const ActivePassive& p, std::span<const Candidate> candidates);

/// The plan that answers one endpoint, whatever its state.
AnswerPlan only(const Candidate& c);

/// By weight times share; what is degraded counts half: it is relieved, and stays warm.
AnswerPlan weighted(std::span<const Candidate> candidates);

/// As weighted, with equal weights.
AnswerPlan round_robin(std::span<const Candidate> candidates);

/// `previous`: per client class the endpoint answered so far; a nearer one replaces it only for a gain above
/// the margin. Updated.
AnswerPlan latency(const Latency& policy, const Model& model, const Service& service,
                   std::span<const Candidate> candidates,
                   std::vector<std::optional<EndpointIndex>>& previous);

/// The plan of any policy; `active` is the latched endpoint of an active/passive service.
AnswerPlan select(const Model& model, const Service& service, std::span<const Candidate> candidates,
                  std::optional<EndpointIndex> active, std::vector<std::optional<EndpointIndex>>& previous);

/// Is the endpoint ever answered, were it fit? Weight 0 and a place outside `order` count as excluded (L7).
bool named(const Service& service, EndpointIndex e);

/// Great-circle distance in kilometres.
double distance_km(const Coordinates& a, const Coordinates& b);

} // namespace fairway::policies
