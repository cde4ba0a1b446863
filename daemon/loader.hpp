// The loader: the thread that reads a new configuration and compiles it, so that control only has to take it
// over.
//
// A bad configuration, or one that changes what only a restart can change, changes nothing; the answer says
// why.
#pragma once

#include "config/diagnostics.hpp"
#include "config/model.hpp"
#include "daemon/asker.hpp"
#include "daemon/prospect.hpp"
#include "dns/snapshot.hpp"
#include "policies/command.hpp"
#include "policies/learned.hpp"

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

namespace fairway::daemon {

/// A configuration ready to be taken over: the model, but for its zones' records, and all names compiled with
/// every service undecided.
struct Loaded {
    ModelPtr model;
    dns::SnapshotPtr names;
    std::shared_ptr<const Written> written; ///< what its files say
};

/// Loads and compiles. Null model: `problems` says why.
Loaded load_all(const std::filesystem::path& file, Diagnostics& problems);

/// The same with what was learned laid over where clients are.
Loaded with_learned(const Loaded& configured, const policies::Learned& learned);

/// What differs between the two that sockets and files already in use depend on: "dns.listen"; empty if
/// nothing does.
std::string needs_restart(const Model& running, const Model& next);

class Loader {
  public:
    /// Hands a loaded configuration to control, and tells how each reload ended; called in the loader thread.
    struct Office {
        std::function<bool(Loaded)> adopt;   ///< waits; false: control did not answer
        std::function<bool(Loaded)> learned; ///< the same configuration, with more learned; waits
        std::function<void(const Asker&, const policies::CommandResult&)> ended;
    };

    /// `running` is as configured, without what was learned.
    Loader(Loaded running, policies::Learned learned, Office office);
    ~Loader(); ///< after the reload under way

    /// Any thread; one after the other. Where it would take most of what is served away it has to be forced.
    std::future<policies::CommandResult> reload(Asker asker, bool forced = false);
    std::future<Prospect> look_at(std::filesystem::path file); ///< what it would change; any thread
    /// Something else that no reload may come between; any thread.
    std::future<policies::CommandResult> between(std::function<policies::CommandResult()> deed);
    void learn(policies::Learned learned); ///< any thread: answers are made of this from now on

  private:
    void run();
    policies::CommandResult reload_now(const Asker& asker, bool forced);
    policies::CommandResult read_and_hand_over(bool forced);
    Prospect prospect_of(const std::filesystem::path& file) const;

    std::future<policies::CommandResult> put(std::packaged_task<policies::CommandResult()> task);

    const ModelPtr first_; ///< its settings stay
    Loaded configured_;
    policies::Learned learned_;
    Office office_;
    std::mutex mutex_;
    std::condition_variable work_;
    std::deque<std::packaged_task<policies::CommandResult()>> tasks_;
    bool stop_ = false;
    std::thread thread_;
};

} // namespace fairway::daemon
