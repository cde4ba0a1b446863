// The operator's runbook in the simulated world: programs that take time, fail or hang, and do what they say.
//
// Unless the story says otherwise, fence switches the old site's servers off for good, promote promotes the
// standby of the new site that has received most, failback is an ordinary switchover, and rejoin makes a
// standby of what was fenced. Programs go on when the daemon that started them dies; only their answer is
// then heard by nobody.
#pragma once

#include "daemon/hook_runner.hpp"
#include "tests/sim/world.hpp"

#include <map>
#include <vector>

namespace fairway::sim {

/// How one step's program behaves.
struct Program {
    Duration takes = 1s;
    std::string failure; ///< not empty: it ends with this instead of doing anything
    bool hangs = false;  ///< until it is killed at its timeout
};

/// One run of a program, for asserts.
struct Run {
    Moment begun{};
    Hook::Step step{};
    std::string service, id, from, to, reason;
    std::optional<Duration> lag;
    std::optional<Moment> ended;
    bool ok = false;
};

/// The programs, and what they have done. Belongs to the story.
class Runbook {
  public:
    Runbook(Timeline& timeline, World& world) : time_(timeline), world_(world) {}

    std::map<Hook::Step, Program> programs;
    const std::vector<Run>& runs() const { return runs_; }
    std::string text(Moment since = {}) const; ///< "fence east, promote west"

    void start(const Hook& hook, const Service& service, const policies::HookRequest& request,
               std::function<void(policies::HookResult)> told);

  private:
    std::string carry_out(const Service& service, const Run& run); ///< what went wrong, or nothing
    std::string promote(Cluster& cluster, const std::string& site);
    void step_down(Cluster& cluster, const std::string& site);

    Timeline& time_;
    World& world_;
    std::vector<Run> runs_;
};

std::string_view to_string(Hook::Step step);

/// The daemon's end of it: hears how a program ended while its process lives.
class SimHooks : public daemon::HookRunner {
  public:
    explicit SimHooks(Runbook& runbook) : runbook_(runbook) {}
    void run(const Hook& hook, const Service& service, const policies::HookRequest& request,
             Done done) override;

  private:
    Runbook& runbook_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace fairway::sim
