// What the operator's rules say at a moment: hold windows (config/limits.hpp has their times).
#pragma once

#include "config/limits.hpp"

#include <optional>
#include <string>

namespace fairway::policies {

/// What a window holds: what is planned and what fails back; with `also_failover` automatic failover, too.
enum class Held : std::uint8_t { planned, failover };

/// A hold window under way.
struct OpenWindow {
    std::string when; ///< as it was written
    WallTime since{}, until{};
    std::string text() const; ///< "hold window Fri 18:00-Mon 06:00 Europe/Berlin, until ..."
};

/// Of several the one that ends last.
std::optional<OpenWindow> hold_window(const Rules& rules, WallTime now, Held what = Held::planned);

} // namespace fairway::policies
