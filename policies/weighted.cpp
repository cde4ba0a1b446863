#include "policies/selection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fairway::policies {

namespace {

/// In hundredths of the weight, rounded, and never to nothing: what is usable is answered. 0 of the weight
/// is.
std::uint32_t scaled(const Candidate& c) {
    const double part = c.weight * c.share * (c.degraded ? 50 : 100);
    return c.weight == 0 ? 0 : std::max(1u, static_cast<std::uint32_t>(std::lround(part)));
}

/// The smallest numbers in the same proportion.
void reduce(std::vector<Choice>& choices) {
    std::uint32_t divisor = 0;
    for (const Choice& c : choices) divisor = std::gcd(divisor, c.weight);
    for (Choice& c : choices) c.weight /= divisor;
}

} // namespace

AnswerPlan weighted(std::span<const Candidate> candidates) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::draw};
    const bool as_configured = std::ranges::all_of(
        candidates, [](const Candidate& c) { return !c.usable || (c.share == 1 && !c.degraded); });
    for (const Candidate& c : candidates) {
        const std::uint32_t weight = as_configured ? c.weight : scaled(c);
        if (c.usable && weight > 0) plan.choices.push_back({c.endpoint, c.addresses, weight, c.cname});
    }
    if (plan.choices.empty()) return {};
    if (!as_configured) reduce(plan.choices);
    return plan;
}

AnswerPlan round_robin(std::span<const Candidate> candidates) {
    std::vector<Candidate> equal(candidates.begin(), candidates.end());
    for (Candidate& c : equal) c.weight = c.weight > 0;
    return weighted(equal);
}

} // namespace fairway::policies
