// What an operator allows automation as a whole: `rules`, their windows of time, and `groups` of services.
// The configuration only; the decisions are in policies/.
#pragma once

#include "config/time.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairway {

/// A time zone as its offsets from UTC, each from a moment on. Read when the configuration is loaded, so that
/// whoever decides opens no file.
struct TimeZone {
    std::string name;             ///< "Europe/Berlin"
    std::chrono::seconds first{}; ///< before the first change
    std::vector<std::pair<std::chrono::sys_seconds, std::chrono::seconds>> changes; ///< in order

    std::chrono::seconds offset(WallTime t) const;
};

/// A time of the week, by the clocks of a time zone: "Fri 18:00-Mon 06:00 Europe/Berlin".
struct HoldWindow {
    std::string when;                     ///< as it was written
    std::chrono::minutes begin{}, end{};  ///< since Monday 00:00 of that week; `end` may lie before `begin`
    std::shared_ptr<const TimeZone> zone; ///< null: UTC
    bool also_failover = false;           ///< automatic failover waits for a person, too

    /// From when to when, if `t` lies in it. Where the clocks show an end twice, the window is the longer
    /// one.
    std::optional<std::pair<WallTime, WallTime>> around(WallTime t) const;
    WallTime next_change(WallTime t) const; ///< the next moment at which around() may be otherwise
};

/// What binds the automation of every service.
struct Rules {
    unsigned min_datacenters = 1;                 ///< that automation leaves in a service's answers
    std::optional<Duration> switch_at_most_every; ///< of a service; never binds one whose active site fails
    std::vector<HoldWindow> hold_windows;
};

/// Services that move in one step or not at all.
struct Group {
    std::string name;
    std::vector<std::uint32_t> services; ///< ServiceIndex; the first leads an active/passive group
    bool ordered = false;                ///< active/passive: all answer one datacenter
    std::vector<std::string> names;      ///< of the services
    std::vector<std::string> tags;       ///< of all of them
};

} // namespace fairway
