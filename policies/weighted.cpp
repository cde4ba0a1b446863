#include "policies/selection.hpp"

namespace fairway::policies {

AnswerPlan weighted(std::span<const Candidate> candidates) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::draw};
    for (const Candidate& c : candidates)
        if (c.usable && c.weight > 0) plan.choices.push_back({c.endpoint, c.addresses, c.weight});
    return plan.choices.empty() ? AnswerPlan{} : plan;
}

} // namespace fairway::policies
