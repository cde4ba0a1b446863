// What must hold of any text given as a zone: it is read or refused, and what was read is answered in a form
// that ldns can decode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fairway::dns::testing {

std::vector<std::string> seed_zones();

/// Aborts where it does not hold.
void check_zone_text(std::string_view text);

} // namespace fairway::dns::testing
