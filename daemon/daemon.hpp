// The daemon: everything wired together, from sockets to the clean stop. The thread that runs it is the
// control thread.
#pragma once

#include "daemon/helper.hpp"
#include "daemon/inherited.hpp"
#include "daemon/loader.hpp"
#include "daemon/storage.hpp"
#include "daemon/successor.hpp"

#include <memory>

namespace fairway::daemon {

class Daemon {
  public:
    /// Binds and opens everything and starts all threads; throws std::runtime_error with what is in the way.
    Daemon(Loaded loaded, Helper helper, OpenedState state, Inherited given, Program program);
    ~Daemon();
    void run(); ///< until SIGTERM or SIGINT, or until another process has taken over

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The wall clock and the one of the control loop, from any thread.
Now clock_now();

} // namespace fairway::daemon
