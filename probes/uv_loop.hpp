// UvLoop: the Loop of real time, on libuv.
//
// Made in any thread, run by one. Everything but post() and stop() belongs to the running thread. All handles
// and all that hangs on them must be gone before the loop is. Callbacks must not throw: that ends the
// process. Time is read at the entry of each callback, so it never advances within one. Timers fire up to 1
// ms late.
#pragma once

#include "probes/async/loop.hpp"

#include <memory>

namespace fairway::probes {

class UvLoop final : public Loop {
  public:
    UvLoop(); ///< throws std::system_error if the system refuses (descriptors)
    ~UvLoop() override;
    UvLoop(const UvLoop&) = delete;
    UvLoop& operator=(const UvLoop&) = delete;

    Now now() const override;
    HandlePtr at(Instant when, Callback f) override;
    HandlePtr watch(int fd, unsigned events, IoCallback f) override; ///< throws std::system_error
    void post(Callback f) override;

    /// Runs `f` in this loop for each signal of that number to the process.
    HandlePtr on_signal(int number, Callback f);

    void run();  ///< until stop()
    void stop(); ///< after what has been posted before; thread-safe, also before run()

    /// The greatest lateness of a timer in the last 10 to 20 seconds: how far behind this thread is.
    Duration lag() const;

    struct Impl; ///< libuv's side of it, in the source

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::probes
