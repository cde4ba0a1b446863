// The kinds of check, each read from its mapping (check_kinds.cpp); what all kinds have is read in
// checks.cpp.
#pragma once

#include "config/load/binding.hpp"

namespace fairway::load {

/// False if the kind cannot be looked at. What is wrong with it is reported.
bool read_kind(const Mapping& m, CheckKind& kind);

/// Why a PCRE2 pattern cannot be used, for people; empty: it can.
std::string pattern_error(const std::string& pattern);

} // namespace fairway::load
