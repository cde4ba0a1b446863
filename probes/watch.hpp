// Watch: a connection kept open to one member's target, so that the end of a process is noticed when it
// happens and not at the next look.
//
// It only says when to look, never what the target is worth: its end is no failure (L2). Many a server ends
// idle connections of its own accord, so it is opened at most once an interval and only after a passing look;
// each time costs at most one look more. While looks fail it is closed: a server that shuts down may be
// waiting for its clients to go.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <functional>
#include <optional>

namespace fairway::probes {

/// Belongs to its loop's thread. Destroying it closes the connection and asks for nothing.
class Watch {
  public:
    /// Opens the connection and is done when it has ended or could not be opened; false if that says nothing
    /// about the target.
    using Hold = std::function<Task<bool>(SocketAddress)>;
    using LookNow = std::function<void()>;

    Watch(Loop& loop, Duration interval, Hold hold, LookNow look_now);

    /// To be told of each look: what came of it, and where it went.
    void seen(Outcome outcome, const SocketAddress& address);

  private:
    bool open() const { return task_.valid() && !task_.done(); }
    Task<void> run(SocketAddress address);

    Loop& loop_;
    const Duration interval_;
    Hold hold_;
    LookNow look_now_;
    SocketAddress address_;
    std::optional<Instant> opened_; ///< the last time
    Task<void> task_;               ///< last: ends before what it uses
};

} // namespace fairway::probes
