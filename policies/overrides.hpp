// Overrides (L19): an operator's word over health. Kinds decide first, scope only between overrides of one
// kind.
#pragma once

#include "policies/command.hpp"

#include <span>

namespace fairway::policies {

bool covers(const Scope& scope, std::string_view service, std::string_view datacenter);

/// The override that excludes this endpoint at `now`, if one does; the narrowest of several.
const Override* excluding(std::span<const Override> overrides, std::string_view service,
                          std::string_view datacenter, WallTime now);

} // namespace fairway::policies
