// Flap damping (L5): an endpoint that would return a second time within half an hour first has to pass
// unbroken for ten minutes.
#pragma once

#include "config/time.hpp"

#include <optional>

namespace fairway::policies {

/// So long after a return another one is a second one.
inline constexpr Duration flapping_within = 30min;
/// So long a suppressed endpoint has to pass unbroken.
inline constexpr Duration calm_after = 10min;

/// What is remembered of an endpoint's returns. Durable.
struct Damping {
    std::optional<Instant> returned; ///< when automation last took it back in
    bool suppressed = false;         ///< would return, and is not let
};

/// An endpoint that is out, and passes again since `passing_since`: may it return now? Remembers that it did,
/// or that it was not let.
bool lets_return(Damping& d, Instant passing_since, Instant now);

} // namespace fairway::policies
