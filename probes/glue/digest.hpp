// Hashes, as protocols ask for them to hide a password.
#pragma once

#include <string>
#include <string_view>

namespace fairway::probes {

/// The digest's octets: 20 and 32 of them.
std::string sha1(std::string_view text);
std::string sha256(std::string_view text);

} // namespace fairway::probes
