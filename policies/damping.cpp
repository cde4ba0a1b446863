#include "policies/damping.hpp"

namespace fairway::policies {

bool lets_return(Damping& d, Instant passing_since, Instant now) {
    bool second = d.suppressed || (d.returned && now - *d.returned < flapping_within);
    d.suppressed = second && now - passing_since < calm_after;
    if (!d.suppressed) d.returned = now;
    return !d.suppressed;
}

} // namespace fairway::policies
