// An upgrade without a lost query: a new process, of whatever program lies at our path now, takes our
// sockets, our state and our counters, and then we go. daemon/takeover is the other side.
//
// First it prepares, while we go on as ever. Then for a moment nobody decides: we have stopped, and it reads
// the state that we wrote last. Once it answers on our sockets we leave them to it: what waits in them is
// read by it, what we have read we answer. Whatever goes wrong before is the end of it and not of us.
//
// run() waits, and belongs to the loader's thread, so that no reload comes between.
#pragma once

#include "daemon/asker.hpp"
#include "daemon/successor.hpp"
#include "dns/sockets.hpp"
#include "policies/command.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

namespace fairway::daemon {

/// What an upgrade wants of the daemon; called in the thread of run().
struct UpgradeOffice {
    std::function<std::vector<dns::Socket>()> sockets; ///< all that are listened on
    std::function<int()> lock;                         ///< of the state directory
    std::function<std::string()> hold_still;           ///< decide and write nothing; why not, or empty
    std::function<void()> go_on;                       ///< it came to nothing
    std::function<void()> leave;                       ///< read and accept no more
    std::function<std::string()> counters;
    std::string state_directory, control_path;
    bool control_stays = false;
};

class Upgrade {
  public:
    Upgrade(Program program, UpgradeOffice office)
        : program_(std::move(program)), office_(std::move(office)) {}

    policies::CommandResult run(const Asker& asker);
    bool handed_over() const { return handed_over_; } ///< any thread
    void last_words();                                ///< what was counted since; once, at the end
    void cancel() { stop_ = true; }                   ///< any thread

  private:
    /// To exec, to link, to say a word: a tenth of a second on a busy machine.
    static constexpr std::chrono::seconds to_start{10};
    /// The largest configuration, and the reading through of the databases.
    static constexpr std::chrono::seconds to_prepare{60};
    /// To compile the answers. Nobody decides meanwhile: as long as a silence takes to be believed.
    static constexpr std::chrono::seconds to_serve{9};

    std::string prepare(Successor& next);
    std::string hand_over(Successor& next, const Asker& asker);
    bool tell_counters(Successor& next);

    const Program program_;
    UpgradeOffice office_;
    std::unique_ptr<Successor> next_;
    std::atomic<bool> handed_over_ = false, stop_ = false;
};

} // namespace fairway::daemon
