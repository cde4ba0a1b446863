// What a service's check looks at, at one of its endpoints.
#pragma once

#include "config/model.hpp"

#include <vector>

namespace fairway {

/// The check aimed at the endpoint's targets for it, or where it has none at each of its addresses (L6).
std::vector<ProbeSpec> probe_specs(const Model& model, const Service& service, const Endpoint& endpoint,
                                   CheckIndex check);

/// Whether the endpoint is looked at at all.
bool is_checked(const Service& service, const Endpoint& endpoint);

} // namespace fairway
