// A world of the swarm lived through, and what of it a failure needs.
//
// A world is its seed: everything in it is drawn from that. Each thing that befalls it has its moment and its
// draws from the seed and its own number, so that leaving one out changes neither of the others.
#pragma once

#include "tests/sim/swarm/watch.hpp"

namespace fairway::sim {

inline constexpr Duration trouble = 2h;     ///< simulated, of each world
inline constexpr Duration recovery = 20min; ///< everything works: delayed failback, the brake, the hold-down

/// Which world, and what it is told without.
struct Script {
    std::uint64_t seed = 1;
    std::optional<std::vector<unsigned>> strikes{}; ///< the numbers of those that happen; unset: all
    Without without{};
    Duration lasts = trouble;
    bool mended = true; ///< everything is mended at the end, and must come out well
    bool operator==(const Script&) const = default;
};

struct Lived {
    std::string problems, journal, faults, yaml;
    std::vector<unsigned> strikes; ///< that happened
    std::size_t services = 0;
    std::optional<Moment> broken; ///< when the first problem was seen
};

Lived live(const Script& script, const Watch::Invariant& invariant = {});

/// What was wrong first, without names and numbers: by this a smaller story is known to be the same one.
std::string kind_of(const std::string& problems);

/// The smallest script found that is wrong in the same way. Deterministic; some hundred lives.
Script shrink(const Script& script, const Watch::Invariant& invariant = {});

/// A script as arguments of the program: "--seed 7 --minutes 31 --strikes 3,17 --without s1,rules".
std::string arguments(const Script& script);

/// The story as people read it: the configuration, what happened, what was wrong, and the journal.
std::string text(const Lived& lived);

} // namespace fairway::sim
