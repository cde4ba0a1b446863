// state.db: the decisions that outlive the process, one row a record, each record a line of JSON.
//
// Every commit is synced (synchronous FULL). Blocking: belongs to the storage thread, and to the start before
// it.
#pragma once

#include "daemon/sqlite.hpp"
#include "daemon/state_store.hpp"

#include <span>

namespace fairway::daemon {

class StateDb {
  public:
    StateDb(const std::filesystem::path& file, WallTime now); ///< throws SqliteError
    policies::Restored read(); ///< throws SqliteError, `damaged` for a record that does not parse
    void apply(std::span<const StateWrite> writes, WallTime now); ///< all of them or, on SqliteError, none

  private:
    Database db_;
};

} // namespace fairway::daemon
