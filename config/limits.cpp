#include "config/limits.hpp"

#include <algorithm>
#include <limits>

namespace fairway {

using namespace std::chrono;

seconds TimeZone::offset(WallTime t) const {
    const auto after = std::ranges::upper_bound(changes, floor<seconds>(t), {},
                                                [](const auto& change) { return change.first; });
    return after == changes.begin() ? first : std::prev(after)->second;
}

namespace {

constexpr minutes week = days(7);

/// The moment at which the clocks there show `local`: where they show it twice, the first or the last time;
/// where they never do, when they jump over it.
WallTime moment(const TimeZone* zone, local_time<minutes> local, bool last) {
    const sys_time<minutes> as_utc(local.time_since_epoch());
    if (!zone) return as_utc;
    const seconds before = zone->offset(as_utc - days(1)), after = zone->offset(as_utc + days(1));
    const sys_seconds early = as_utc - before, late = as_utc - after;
    if (before == after) return early;
    const auto change = std::ranges::upper_bound(zone->changes, sys_seconds(as_utc - days(1)), {},
                                                 [](const auto& c) { return c.first; });
    if (change == zone->changes.end()) return early;
    const sys_seconds jump = change->first;
    const bool shown_before = early < jump, shown_after = late >= jump;
    if (shown_before && shown_after) return last ? late : early;
    if (shown_before) return early;
    return shown_after ? late : jump;
}

/// The window of the week that began on the Monday `back` weeks before that of `t`.
std::pair<WallTime, WallTime> instance(const HoldWindow& w, WallTime t, int back) {
    const seconds offset = w.zone ? w.zone->offset(t) : seconds{};
    const auto today = floor<days>(local_time<milliseconds>(t.time_since_epoch() + offset));
    const auto monday = today - (weekday(today) - Monday) - days(7) * back;
    const minutes length = (w.end - w.begin + week) % week;
    return {moment(w.zone.get(), monday + w.begin, false),
            moment(w.zone.get(), monday + w.begin + length, true)};
}

} // namespace

std::optional<std::pair<WallTime, WallTime>> HoldWindow::around(WallTime t) const {
    for (int back : {0, 1}) {
        const auto [from, until] = instance(*this, t, back);
        if (from <= t && t < until) return std::pair(from, until);
    }
    return std::nullopt;
}

WallTime HoldWindow::next_change(WallTime t) const {
    WallTime next = WallTime::max();
    for (int back : {-1, 0, 1}) {
        const auto [from, until] = instance(*this, t, back);
        for (WallTime at : {from, until})
            if (at > t) next = std::min(next, at);
    }
    return next;
}

} // namespace fairway
