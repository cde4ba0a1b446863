#include "policies/selection.hpp"

namespace fairway::policies {

AnswerPlan weighted(std::span<const Candidate> candidates) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::draw};
    for (const Candidate& c : candidates)
        if (c.usable && c.weight > 0) plan.choices.push_back({c.endpoint, c.addresses, c.weight, c.cname});
    return plan.choices.empty() ? AnswerPlan{} : plan;
}

AnswerPlan round_robin(std::span<const Candidate> candidates) {
    AnswerPlan plan = weighted(candidates);
    for (Choice& c : plan.choices) c.weight = 1;
    return plan;
}

} // namespace fairway::policies
