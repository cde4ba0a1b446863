// A story: a world, a daemon in it, what clients were told, and the words to tell it with.
//
//     Story s{two_sites};                        // given: YAML as an operator writes it
//     s.runs(1min);
//     auto death = s.kill("east");               // when
//     s.runs(30s);
//     CHECK(s.answers("shop") == "west");        // then
//     CHECK_FALSE(s.named("shop", "east", death + 3.3s));
//
// The daemon is the real Controller with everything under it; only its edges (loop, prober, store, hooks) are
// simulated.
#pragma once

#include "daemon/controller.hpp"
#include "policies/learned.hpp"
#include "tests/sim/answers.hpp"
#include "tests/sim/hooks.hpp"
#include "tests/sim/prober.hpp"
#include "tests/sim/store.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace fairway::sim {

/// A line of the journal.
struct Entry {
    Moment at{};
    daemon::Happening what;
};

class Story {
  public:
    /// `yaml` may leave out what no story is about: the zone (gtm.example.com) and the datacenters' places.
    explicit Story(std::string_view yaml, std::uint64_t seed = 1);
    virtual ~Story();

    // ---- time, and the daemon
    Moment now() const { return time_.now(); }
    Now clock() const;     ///< as the daemon reads it
    void runs(Duration d); ///< time passes; the daemon is started if it never was
    /// Runs until `so`, looking after each event; false if it is not so within `limit`.
    bool runs_until(const std::function<bool()>& so, Duration limit);
    void start();
    void kill_daemon();               ///< kill -9
    void restart(Duration away = 2s); ///< kill -9, and started again so much later
    void lose_disk();                 ///< a new, empty one
    void stall_daemon(Duration d);    ///< SIGSTOP for so long
    void step_clock(Duration by);     ///< somebody sets the machine's clock, forth or back
    void reload(std::string_view yaml);
    void learns(const policies::Learned& all); ///< as if measured; a reload of where clients are
    bool running() const { return daemon_ != nullptr; }

    // ---- what happens to the world; each returns the moment
    Moment kill(const std::string& site);      ///< power off: silence
    Moment revive(const std::string& site);    ///< power on: everything as it was left
    Moment partition(const std::string& site); ///< lives, but neither we nor its peers reach it
    Moment heal(const std::string& site);
    Moment unreachable(const std::string& site); ///< a router on the way says so
    Moment cut_uplink();                         ///< ours, to everything but our own datacenter
    Moment mend_uplink();
    Moment application(const std::string& site, const Sight& says); ///< all its applications
    Moment application_works(const std::string& site);
    Moment target(const std::string& name, const Sight& says);
    Moment target_works(const std::string& name);
    Moment references(const Sight& says);
    Moment references_work();
    Moment crash_process(const std::string& target);  ///< refuses, and connections to it end
    void drop_connections(const std::string& target); ///< they end, but it goes on working
    void store_reports(const std::string& site,
                       const Facts& facts); ///< a stateful store other than PostgreSQL

    /// A site reports about itself; false if nothing asks it to.
    bool pushes(const std::string& check, const std::string& site, const Facts& facts,
                Outcome outcome = Outcome::pass);

    World& world() { return world_; }
    Database& database(const std::string& site, std::size_t which = 0) {
        return world_.database(site, which);
    }
    Cluster& database_of(const std::string& service);
    Runbook& runbook() { return runbook_; }
    Program& program(Hook::Step step) { return runbook_.programs[step]; }
    Disk& disk() { return disk_; }

    // ---- operators
    /// `stored`: what the operator hears of the disk.
    policies::CommandResult drain(const std::string& service, const std::string& site, bool force = false,
                                  Duration lasts = 24h, const daemon::StateStore::Done& stored = {});
    policies::CommandResult undrain(const std::string& service, const std::string& site,
                                    const daemon::StateStore::Done& stored = {});
    bool drained(const std::string& service, const std::string& site) const; ///< as Fairway has it
    policies::CommandResult sets(policies::Override::Kind kind, const std::string& service,
                                 const std::string& site, bool while_frozen = false);
    policies::CommandResult ends(policies::Override::Kind kind, const std::string& service,
                                 const std::string& site = "", bool while_frozen = false);
    policies::CommandResult failover(const std::string& service, const std::string& to,
                                     bool accept_claim = false);
    policies::CommandResult failback(const std::string& service);
    policies::CommandResult approve(const std::string& switch_id, bool while_frozen = false);
    policies::CommandResult move(const std::string& service, const std::string& to, bool dry_run = false);
    policies::CommandResult gives_up(const std::string& service, bool force = false);
    policies::CommandResult loses(const std::string& site, Duration lasts,
                                  bool with_hooks = false); ///< a drill
    policies::CommandResult gives_up_drill();
    std::string waiting_switch(const std::string& service); ///< its id; empty if none waits for approval

    // ---- what clients were told. A service is named by its first label, a half of one "www AAAA".
    std::string answers(const std::string& service) const;
    std::string answers(const std::string& service, const std::string& client) const;
    std::vector<std::string> addresses(const std::string& service, const std::string& site) const;
    std::uint32_t ttl(const std::string& service) const;
    std::size_t moves(const std::string& service, Moment since = {}) const;
    bool named(const std::string& service, const std::string& site, Moment from,
               Moment until = Moment::max()) const;
    bool said(const std::string& service, const std::string& text, Moment from,
              Moment until = Moment::max()) const;
    std::optional<Moment> first(const std::string& service, const std::string& text, Moment from = {}) const;
    const Answers& history(const std::string& service) const;

    // ---- what Fairway says of itself
    const std::vector<Entry>& journal() const { return journal_; }
    std::string journal_text() const;
    std::size_t count(policies::Change change, Moment since = {}, const std::string& about = "") const;
    std::optional<Moment> first(policies::Change change, Moment since = {},
                                const std::string& about = "") const;
    std::vector<Entry> all(policies::Change change, Moment since = {}) const;
    bool critical(const std::string& service, Moment since = {}) const; ///< said anything critical about it
    policies::Report report() const;
    policies::ServiceReport report(const std::string& service) const;
    policies::EndpointReport endpoint(const std::string& service, const std::string& site) const;
    bool alarm(const std::string& id) const;
    const Model& model() const { return *model_; }
    const policies::Engine& engine() const;
    std::size_t members() const;
    std::uint64_t looks() const { return looks_before_ + (daemon_ ? looks_now() : 0); }

    /// What no story may ever show, one line each; empty is well: malformed plans, a changed answer that no
    /// transition explains, a generation that went back.
    const std::string& problems() const { return problems_; }
    std::uint64_t seed() const { return seed_; }

  private:
    struct Daemon;
    void published(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                   std::uint64_t generation);
    void happened(const daemon::Happening& what);
    void problem(const std::string& text);
    bool explained(const std::string& service) const;
    std::uint64_t looks_now() const;
    const Service& service(const std::string& label) const;
    std::string meant(const std::string& label) const; ///< by an operator: both halves by the bare label
    policies::CommandResult command(decltype(policies::Command::what) what, bool while_frozen = false,
                                    const daemon::StateStore::Done& stored = {});
    bool matches(const Entry& e, policies::Change change, Moment since, const std::string& about) const;

    std::uint64_t seed_;
    Random random_;
    Timeline time_;
    ModelPtr model_;
    World world_;
    Disk disk_;
    Runbook runbook_;
    std::unique_ptr<Daemon> daemon_;
    bool started_ = false;
    std::chrono::milliseconds stepped_{};       ///< what the clock was set by, in all
    std::pair<Moment, Moment> stall_{-1h, -1h}; ///< the last one's begin and end
    std::map<std::string, Answers> answers_;    ///< by whole name
    std::vector<Entry> journal_;
    std::uint64_t last_id_ = 0, last_generation_ = 0, looks_before_ = 0, writes_before_ = 0;
    std::string problems_;
};

/// The model of a story's YAML. Throws with every problem if it has one.
ModelPtr load_story(std::string_view yaml);

} // namespace fairway::sim
