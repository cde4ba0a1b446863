// ProbeWorker: one thread that looks at all members, thousands of them, as coroutines on a loop of its own.
#pragma once

#include "probes/async/loop.hpp"
#include "probes/prober.hpp"

#include <memory>

namespace fairway::probes {

/// Made, used and destroyed in the control loop's thread, where the sinks are called: a batch for each turn
/// of the worker's loop that saw something, never after the destructor. Members not assigned any more end at
/// once; an observation of theirs that is already on its way may still come.
class ProbeWorker final : public Prober {
  public:
    struct Options {
        /// Looks at once, held connections included, beyond which a look is unknown (local_limit). 0: what
        /// RLIMIT_NOFILE allows, less the rest's share.
        std::size_t max_open = 0;
        /// Looks at once at one address and port; those beyond wait, and a look whose time ends there is
        /// unknown.
        std::size_t per_target = 64;
    };
    ProbeWorker(Loop& control, Sink sink, NameSink names)
        : ProbeWorker(control, std::move(sink), std::move(names), Options()) {}
    ProbeWorker(Loop& control, Sink sink, NameSink names, Options options);
    ~ProbeWorker() override; ///< ends all looks and joins the thread

    void assign(std::vector<Assignment> members) override;
    void look(std::span<const MemberId> members) override;
    void resolve(std::vector<std::string> names) override;

    /// How late the thread has been at worst in the last 10 to 20 s. Any thread.
    Duration lag() const;

  private:
    class Bench;
    std::unique_ptr<Bench> bench_;
};

} // namespace fairway::probes
