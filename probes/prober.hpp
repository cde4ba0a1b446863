// The Prober: keeps looking at a set of members and reports what it sees.
//
// A seam: real probe workers in the daemon, a scripted world in tests/sim (SimProber). It never judges; the
// rhythm of looking (interval, jitter, quick re-tests) is all it knows.
#pragma once

#include "config/check.hpp"
#include "policies/observation.hpp"

#include <functional>
#include <span>
#include <vector>

namespace fairway::probes {

struct Assignment {
    MemberId member = 0;
    ProbeSpec spec;
};

class Prober {
  public:
    /// Receives observations in batches, in the thread of the loop the prober was made with.
    using Sink = std::function<void(std::span<const Observation>)>;
    using NameSink = std::function<void(const NameObservation&)>;

    virtual ~Prober() = default;

    /// The whole set of members to look at from now on. Those already looked at keep their rhythm, those
    /// not in it are not looked at again (at once), new ones start spread over one interval (H9, H11).
    virtual void assign(std::vector<Assignment> members) = 0;

    /// The whole set of names whose addresses are wanted, from now on: each is asked for when its TTL is over,
    /// and what is seen goes to the sink for names. Absolute names without the final dot.
    virtual void resolve(std::vector<std::string> names) = 0;

    /// Look at these now, unless a look is under way that began just now (L4, L13).
    virtual void look(std::span<const MemberId> members) = 0;
};

} // namespace fairway::probes
