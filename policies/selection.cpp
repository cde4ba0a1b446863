#include "policies/selection.hpp"

#include <algorithm>

namespace fairway::policies {

AnswerPlan only(const Candidate& c) {
    return {.kind = AnswerPlan::Kind::draw, .choices = {{c.endpoint, c.addresses, 1, c.cname}}};
}

AnswerPlan select(const Model& model, const Service& service, std::span<const Candidate> candidates,
                  std::optional<EndpointIndex> active, std::vector<std::optional<EndpointIndex>>& previous) {
    if (auto* p = std::get_if<ActivePassive>(&service.policy)) {
        auto site = active ? active : best_in_order(*p, candidates);
        return site ? only(candidates[*site]) : AnswerPlan{};
    }
    if (auto* p = std::get_if<Latency>(&service.policy))
        return latency(*p, model, service, candidates, previous);
    if (std::holds_alternative<RoundRobin>(service.policy)) return round_robin(candidates);
    return weighted(candidates);
}

bool named(const Service& service, EndpointIndex e) {
    if (service.follows_primary()) return true; // the role alone decides
    if (service.endpoints[e].weight == 0) return false;
    if (auto* p = std::get_if<ActivePassive>(&service.policy))
        return std::ranges::find(p->order, e) != p->order.end();
    return true;
}

} // namespace fairway::policies
