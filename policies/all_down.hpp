// What a service answers when nothing is fit (L8): never an empty answer that nobody chose.
#pragma once

#include "policies/selection.hpp"

#include <span>
#include <vector>

namespace fairway::policies {

/// `candidates` are all endpoints with every address they have; `usable` are those not excluded. `last_good`
/// names the endpoints of the last plan that had a fit one. With nothing to answer the plan is SERVFAIL.
AnswerPlan all_down(const Model& model, const Service& service, std::span<const Candidate> candidates,
                    std::span<const EndpointIndex> last_good, std::optional<EndpointIndex> active);

std::string_view to_string(OnAllDown::Mode mode); ///< as in YAML: "last_good"

} // namespace fairway::policies
