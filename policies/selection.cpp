#include "policies/selection.hpp"

#include <algorithm>

namespace fairway::policies {

AnswerPlan only(const Candidate& c) {
    return {.kind = AnswerPlan::Kind::draw, .choices = {{c.endpoint, c.addresses, 1}}};
}

AnswerPlan select(const Model& model, const Service& service, std::span<const Candidate> candidates,
                  std::optional<EndpointIndex> active, std::vector<std::optional<EndpointIndex>>& previous) {
    if (auto* p = std::get_if<ActivePassive>(&service.policy)) {
        auto site = active ? active : best_in_order(*p, candidates);
        return site ? only(candidates[*site]) : AnswerPlan{};
    }
    if (auto* p = std::get_if<Latency>(&service.policy))
        return latency(*p, model, service, candidates, previous);
    return weighted(candidates);
}

bool named(const Service& service, EndpointIndex e) {
    if (auto* p = std::get_if<ActivePassive>(&service.policy))
        return p->follow_primary || std::ranges::find(p->order, e) != p->order.end();
    return !std::holds_alternative<Weighted>(service.policy) || service.endpoints[e].weight > 0;
}

} // namespace fairway::policies
