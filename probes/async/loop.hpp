// The Loop: where everything that waits waits. One thread, its time, its timers, its descriptors.
//
// A seam: libuv stands behind it in the daemon (probes/uv_loop), virtual time in tests/sim (SimLoop). Except for
// post(), which any thread may call, a loop and what hangs on it belong to the thread that runs it.
#pragma once

#include "config/time.hpp"

#include <functional>
#include <memory>

namespace fairway {

class Loop {
  public:
    using Callback = std::function<void()>;

    /// A timer or a descriptor watch. Destroying it, its own callback included, ends it: the callback never runs
    /// afterwards. A descriptor has one watch at a time.
    class Handle {
      public:
        virtual ~Handle() = default;
    };
    using HandlePtr = std::unique_ptr<Handle>;

    enum Events : unsigned { none = 0, readable = 1, writable = 2 };
    using IoCallback = std::function<void(unsigned events)>; ///< errors are reported as readable|writable

    virtual ~Loop() = default;

    /// The time of this loop iteration. Cheap; does not advance within a callback.
    virtual Now now() const = 0;

    /// Runs `f` once, at `when` or as soon after as the loop gets to it.
    virtual HandlePtr at(Instant when, Callback f) = 0;

    /// Watches a descriptor until the handle is destroyed, which must be before the descriptor is closed.
    virtual HandlePtr watch(int fd, unsigned events, IoCallback f) = 0;

    /// Runs `f` in this loop's thread, in order of posting. Thread-safe.
    virtual void post(Callback f) = 0;

    HandlePtr after(Duration d, Callback f) { return at(now().mono + d, std::move(f)); }
};

} // namespace fairway
