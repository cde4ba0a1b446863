// PCRE2 patterns of checks.
#pragma once

#include <string>
#include <string_view>

namespace fairway::probes {

enum class Match { yes, no, too_costly };

/// Whether the pattern matches somewhere in the text, with a bounded effort. One that does not compile (it
/// did when the configuration was read) matches nothing. Compiled patterns are kept, by the thread.
Match search(const std::string& pattern, std::string_view text);

} // namespace fairway::probes
