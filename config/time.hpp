// Time as Fairway knows it: durations, a clock that never steps, and the wall clock.
//
// Nothing below daemon/ reads a clock; whoever decides is told the time as a `Now`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fairway {

using Duration = std::chrono::nanoseconds;
using namespace std::chrono_literals;

/// The monotonic time line of one process (simulated in tests); its zero means nothing.
struct Monotonic {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<Monotonic>;
    static constexpr bool is_steady = true;
};
using Instant = Monotonic::time_point;

/// Wall-clock time, UTC. Only for what outlives the process (records, expiry) and for people.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// Both times of one moment, from one source.
struct Now {
    Instant mono{};
    WallTime wall{};

    /// The instant on this process's time line that a recorded wall time corresponds to.
    Instant at(WallTime t) const { return mono + std::chrono::duration_cast<Duration>(t - wall); }
    WallTime wall_at(Instant t) const {
        return wall + std::chrono::duration_cast<std::chrono::milliseconds>(t - mono);
    }
};

/// "250ms", "2s", "5m", "24h", "1d"; a bare number is an error, because units are written.
std::optional<Duration> parse_duration(std::string_view text);

/// The shortest exact form: 90s is "90s", 60s is "1m", 2500ms is "2500ms", zero is "0s".
std::string to_string(Duration d);

/// For people: at most two figures of precision that matter, "2.8s", "4m10s", "3h".
std::string brief(Duration d);

/// RFC 3339 in UTC with milliseconds: "2026-11-20T07:00:13.042Z".
std::string to_string(WallTime t);

} // namespace fairway
