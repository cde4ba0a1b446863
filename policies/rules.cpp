#include "policies/rules.hpp"

namespace fairway::policies {

std::string OpenWindow::text() const {
    return "hold window " + when + ", until " + fairway::to_string(until);
}

std::optional<OpenWindow> hold_window(const Rules& rules, WallTime now, Held what) {
    std::optional<OpenWindow> open;
    for (const HoldWindow& w : rules.hold_windows) {
        if (what == Held::failover && !w.also_failover) continue;
        const auto around = w.around(now);
        if (around && (!open || around->second > open->until)) open = {w.when, around->first, around->second};
    }
    return open;
}

} // namespace fairway::policies
