#include "policies/all_down.hpp"

#include <algorithm>
#include <array>

namespace fairway::policies {

namespace {

AnswerPlan policy_over(const Model& model, const Service& service, std::vector<Candidate> candidates,
                       std::optional<EndpointIndex> active) {
    for (Candidate& c : candidates) c.fit = c.usable = c.usable && c.answers();
    if (active && !candidates[*active].usable) active.reset();
    Previous nothing_before;
    return select({model, service, candidates}, active, nothing_before);
}

AnswerPlan everything(std::span<const Candidate> candidates) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::draw};
    Choice all{.endpoint = no_endpoint, .weight = 1};
    for (const Candidate& c : candidates)
        if (c.usable) all.addresses.insert(all.addresses.end(), c.addresses.begin(), c.addresses.end());
    if (all.addresses.empty()) return AnswerPlan{};
    plan.choices.push_back(std::move(all));
    return plan;
}

} // namespace

AnswerPlan all_down(const Model& model, const Service& service, std::span<const Candidate> candidates,
                    std::span<const EndpointIndex> last_good, std::optional<EndpointIndex> active) {
    using Mode = OnAllDown::Mode;
    std::vector<Candidate> left(candidates.begin(), candidates.end());
    switch (service.on_all_down.mode) {
    case Mode::servfail: return {};
    case Mode::nodata: return {.kind = AnswerPlan::Kind::nodata};
    case Mode::all: return everything(candidates);
    case Mode::fixed:
        if (service.on_all_down.addresses.empty()) return {.kind = AnswerPlan::Kind::nodata}; // of this half
        return {.kind = AnswerPlan::Kind::draw, .choices = {{no_endpoint, service.on_all_down.addresses, 1}}};
    case Mode::last_good:
        for (Candidate& c : left)
            c.usable = c.usable && std::ranges::find(last_good, c.endpoint) != last_good.end();
        if (std::ranges::any_of(left, &Candidate::usable)) break;
        left.assign(candidates.begin(), candidates.end());
        break;
    case Mode::as_if_all_up: break;
    }
    return policy_over(model, service, std::move(left), active);
}

std::string_view to_string(OnAllDown::Mode mode) {
    static constexpr std::array<std::string_view, 6> words{"as_if_all_up", "last_good", "all",
                                                           "static",       "nodata",    "servfail"};
    return words[static_cast<std::size_t>(mode)];
}

} // namespace fairway::policies
