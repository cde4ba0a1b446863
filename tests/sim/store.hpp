// A disk that outlives the daemon, and the simulated state store that writes to it.
#pragma once

#include "daemon/state_store.hpp"
#include "tests/sim/timeline.hpp"

#include <deque>
#include <map>
#include <utility>

namespace fairway::sim {

/// What is on disk. Belongs to the story.
class Disk {
  public:
    Duration latency = 2ms; ///< an fsync of a decent disk
    std::string failure;    ///< not empty: every write ends with it
    bool hangs = false;     ///< writes do not end before this does

    void apply(daemon::StateWrite write);
    policies::Restored restored() const;
    void lose() {
        services_.clear(), members_.clear(), rest_ = {};
    } ///< a new disk: the next start is a first start
    std::uint64_t writes() const { return writes_; }

  private:
    std::map<std::string, policies::ServiceRecord> services_;
    std::map<std::string, policies::MemberRecord> members_;
    policies::Restored rest_; ///< overrides, alive, generation
    std::uint64_t writes_ = 0;
};

/// Writes in order, each after the disk's latency; what had not ended when the process died is lost.
class SimStore : public daemon::StateStore {
  public:
    SimStore(SimLoop& loop, Disk& disk) : loop_(loop), disk_(disk) {}
    void write(daemon::StateWrite write, Done done) override;

  private:
    void end_first();

    SimLoop& loop_;
    Disk& disk_;
    std::deque<std::pair<daemon::StateWrite, Done>> waiting_; ///< the first is under way
    Loop::HandlePtr timer_;
};

} // namespace fairway::sim
