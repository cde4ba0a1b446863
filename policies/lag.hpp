// Replication lag as the law reckons it (L16): by what a standby has received, against when the primary wrote
// it.
//
// Replay timestamps grow on an idle primary; positions do not. Once the primary is no longer sampled, lag
// stays what it was at its last sample: what was written unseen after that, nobody can know.
#pragma once

#include "config/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>

namespace fairway::policies {

struct Lag {
    std::uint64_t bytes = 0;
    Duration time{};   ///< since the primary passed the received position, at the primary's last sample
    Instant sampled{}; ///< when the primary was last sampled
};

/// What a standby's lag was lately, so that a fault that is noticed later can be told with the lag it found.
class LagMemory {
  public:
    void note(Instant at, Duration lag);
    std::optional<Duration> at(Instant fault) const; ///< the last one noted before; else the oldest there is

  private:
    static constexpr std::size_t most =
        16; ///< at the default interval half a minute: a silence is noticed in 9 s
    std::deque<std::pair<Instant, Duration>> lags_;
};

/// Samples of one replicated system's write position, from whoever is its primary in the newest epoch.
class PrimaryTrack {
  public:
    /// A sample of an older epoch is ignored; one of a newer epoch starts the track anew.
    void sample(Instant at, std::uint64_t position, std::optional<std::uint64_t> epoch);

    /// nullopt before the first sample.
    std::optional<Lag> behind(std::uint64_t received) const;

  private:
    struct Sample {
        Instant at;
        std::uint64_t position;
    };
    std::deque<Sample>
        samples_; ///< positions strictly rising but for the last, which carries the newest time
    std::optional<std::uint64_t> epoch_;
};

} // namespace fairway::policies
