// ProbeWorker: one thread, or some, that look at all members, thousands each, as coroutines on a loop of
// their own.
#pragma once

#include "probes/async/loop.hpp"
#include "probes/prober.hpp"

#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace fairway::probes {

/// The names whose addresses looking at these takes: of targets, and of those who are asked about targets.
std::set<std::string> names_of(std::span<const Assignment> members);

/// Made, used and destroyed in the control loop's thread, where the sinks are called: a batch for each turn
/// of a thread's loop that saw something, never after the destructor. Members not assigned any more end at
/// once; an observation of theirs that is already on its way may still come. All members of one target are
/// one thread's.
class ProbeWorker final : public Prober {
  public:
    struct Options {
        /// Looks at once, held connections included, beyond which a look is unknown (local_limit). 0: what
        /// RLIMIT_NOFILE allows, less the rest's share.
        std::size_t max_open = 0;
        /// Looks at once at one address and port; those beyond wait, and a look whose time ends there is
        /// unknown.
        std::size_t per_target = 64;
        unsigned threads = 1;
    };
    ProbeWorker(Loop& control, Sink sink, NameSink names)
        : ProbeWorker(control, std::move(sink), std::move(names), Options()) {}
    ProbeWorker(Loop& control, Sink sink, NameSink names, Options options);
    ~ProbeWorker() override; ///< ends all looks and joins the thread

    void assign(std::vector<Assignment> members) override;
    void look(std::span<const MemberId> members) override;
    void resolve(std::vector<std::string> names) override;

    /// How late the latest thread has been at worst in the last 10 to 20 s. Any thread.
    Duration lag() const;

  private:
    class Bench;
    std::vector<std::unique_ptr<Bench>> benches_; ///< a thread each
    std::unordered_map<MemberId, std::size_t> bench_of_;
};

} // namespace fairway::probes
