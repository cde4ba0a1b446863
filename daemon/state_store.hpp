// The state store: what outlives the process. A seam: SQLite on a thread of its own in the daemon
// (daemon/storage), memory in tests/sim (SimStore).
#pragma once

#include "policies/command.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fairway::daemon {

/// One durable change, written as one transaction.
struct StateWrite {
    std::vector<policies::ServiceRecord> services;             ///< replaced by name
    std::vector<policies::MemberRecord> members;               ///< replaced by key
    std::optional<std::vector<policies::Override>> overrides;  ///< replaced whole
    std::optional<std::vector<policies::AliasRecord>> aliases; ///< replaced whole
    std::vector<policies::LearnedRecord> learned; ///< replaced by network; without sites: deleted
    std::optional<std::uint64_t> generation;
    std::optional<WallTime> alive;
};

class StateStore {
  public:
    /// Called once per write, in the control loop: an empty text, or what went wrong.
    using Done = std::function<void(const std::string& error)>;

    virtual ~StateStore() = default;
    virtual void write(StateWrite write, Done done) = 0; ///< in order; never blocks the caller
};

} // namespace fairway::daemon
