// The controller: the only owner of mutable state. Event in, one call into policies/, effects out.
//
// It decides nothing: an `if` about health belongs in policies/. It runs in the control thread's loop; in
// tests the loop, the prober, the store and the hooks are simulated and everything else is this very code.
#pragma once

#include "daemon/hook_runner.hpp"
#include "daemon/state_store.hpp"
#include "policies/engine.hpp"
#include "probes/async/loop.hpp"
#include "probes/prober.hpp"

#include <functional>
#include <span>

namespace fairway::daemon {

/// A transition as it happened: numbered, with the moments of its way to the answer (O3).
struct Happening {
    std::uint64_t id = 0;
    policies::Transition transition;
    std::optional<Instant> published; ///< when the answer that follows from it was handed to the DNS workers
};

/// What the controller tells the world outside the decision. None of them may block; unset ones are left out.
struct Outlets {
    /// Hands changed plans to dns/: `changed` names the services, `engine` has their plans. After a reload it
    /// names every service of the new model.
    std::function<void(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                       std::uint64_t generation)>
        publish;
    /// Log, journal, metrics and notifications; once per transition, as it is decided (`published` unset).
    std::function<void(const Happening&)> happened;
    /// The same happening again once its answer is out, with `published` set; only for those that changed a
    /// plan.
    std::function<void(const Happening&)> answered;
    std::uint64_t last_id = 0; ///< the journal's last number: happenings are numbered on from it
};

class Controller {
  public:
    /// How long a publication waits for the store before it goes ahead with an alarm.
    static constexpr Duration store_patience = 500ms;
    /// How often the store is told that we still look: a restart within 60 s of it resumes health (L20).
    static constexpr Duration heartbeat = 5s;
    /// Added to the generation in every write, so that one restored after a crash is above any that was
    /// published: more than can be published between two heartbeats.
    static constexpr std::uint64_t generation_reserve = 1000;

    Controller(Loop& loop, probes::Prober& prober, StateStore& store, HookRunner& hooks, Outlets outlets,
               ModelPtr model, const policies::Restored& restored);
    ~Controller();

    void start();
    void observe(std::span<const Observation> batch); ///< the prober's sink
    void resolved(const NameObservation& seen);       ///< its sink for names
    /// What came of a command, at once. `stored` is called once, perhaps before that: what it decided is on
    /// disk (""), or why it is not.
    policies::CommandResult command(const policies::Command& command, StateStore::Done stored = {});
    void reload(ModelPtr model);

    /// Decides nothing until go_on(): another process is about to decide in its place. What is seen meanwhile
    /// waits, commands are refused. Why it cannot be now, or empty.
    std::string hold_still();
    /// Why what was decided last is not on disk, once the store has answered all; or empty.
    std::string not_stored() const;
    void go_on();

    /// A transition of the daemon's own, "configuration loaded": numbered and reported like the engine's.
    void announce(policies::Transition transition);

    /// A part of storage besides the state store fails ("the journal", its error) or is well again ("").
    void storage(const std::string& part, const std::string& error);

    /// An alarm of the daemon's own, besides those of the engine and the store; without a text it is over.
    /// True: that is news.
    bool alarm(const std::string& id, policies::Severity severity, const std::string& text);

    policies::Report report() const;
    policies::Explanation explain(ServiceIndex s, std::optional<IpAddress> client) const;
    const policies::Engine& engine() const;
    std::uint64_t generation() const; ///< of the last publication; never goes back (P7)

  private:
    struct State;
    std::shared_ptr<State> state_; ///< shared, so that an answer that comes after the end finds nobody
};

} // namespace fairway::daemon
