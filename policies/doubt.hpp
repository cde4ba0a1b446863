// Self-doubt (L4): when most of the world falls silent at once, the likelier fault is our own.
//
// Judged only when silence is about to take a member down, on probes begun since that member's first silent
// one. While it lasts silence is held, evidence is not.
#pragma once

#include "config/model.hpp"

#include <optional>
#include <span>
#include <vector>

namespace fairway::policies {

/// A target that passed in the 5 minutes before (or a reference), and its latest result.
struct Witness {
    std::uint32_t index = 0; ///< the caller's
    DatacenterIndex datacenter = 0;
    bool reference = false;
    Instant begun{}; ///< of the latest result
    bool silent = false;
};

/// For how long before the silence a target must have passed to be a witness.
inline constexpr Duration witness_memory = 5min;
/// How many targets of a datacenter without a fresh result are looked at.
inline constexpr std::size_t looks_per_datacenter = 3;

struct World {
    bool doubt = false; ///< every foreign datacenter that counts is dark, and nothing speaks for us
    bool references_silent = false;     ///< all of them, and there are some
    std::size_t dark = 0, counting = 0; ///< foreign datacenters
    std::vector<std::uint32_t> look;    ///< witnesses to look at before this can be judged
};

/// What the results of probes begun at or after `since` say. `home` is this node's own datacenter, not
/// foreign. A datacenter none of whose witnesses has such a result is asked for by `look`; with `settle` it
/// counts as dark.
World judge(std::span<const Witness> witnesses, std::optional<DatacenterIndex> home, Instant since,
            bool settle);

} // namespace fairway::policies
