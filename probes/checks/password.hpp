// A password as checks are told it: by a file.
#pragma once

#include <optional>
#include <string>

namespace fairway::probes {

/// Its first line, read at each look, so that a changed password needs no reload. Empty without a file;
/// nullopt: it cannot be read.
std::optional<std::string> password_in(const std::string& file);

} // namespace fairway::probes
