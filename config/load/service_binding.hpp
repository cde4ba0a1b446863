// Data of SVCB and HTTPS records from their presentation form (RFC 9460 section 2.1 and appendix A), which
// Debian's ldns reads only in part.
#pragma once

#include "config/name.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::load {

/// Wire form; nothing if it is wrong, and `error` says why. A relative target lies under `origin`.
std::optional<std::vector<std::uint8_t>> parse_service_binding(std::string_view data, const Name& origin,
                                                               std::string& error);

} // namespace fairway::load
