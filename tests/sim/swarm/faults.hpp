// What befalls the swarm's worlds: faults, repairs, operators and restarts, drawn one after the other.
#pragma once

#include "tests/sim/story.hpp"
#include "tests/sim/swarm/settings.hpp"

#include <map>
#include <set>

namespace fairway::sim {

class Faults {
  public:
    Faults(Story& story, const Settings& settings, Random random)
        : story_(story), settings_(settings), random_(random) {}

    std::function<void()> before_restart; ///< called when a daemon is about to be killed

    void strike();   ///< one thing happens
    void mend_all(); ///< everything works again, each database with one primary; drains are lifted
    const std::string& log() const { return log_; }

    bool drained(const std::string& service, const std::string& site) const {
        return drains_.contains({service, site});
    }
    Moment stalled_until() const { return stalled_until_; }
    Moment last_drain() const { return last_drain_; }                     ///< or undrain
    std::optional<Moment> last_command(const std::string& service) const; ///< an operator's, to move it
    Moment last_restart() const { return last_restart_; }
    bool last_restart_long() const { return last_restart_long_; }
    Moment own_fault() const { return own_fault_; } ///< last moment our node, disk or process was hurt

  private:
    void site();
    void application();
    void database();
    void line();
    void ourselves();
    void operators();
    void programs();
    void restart();
    void note(const std::string& what);

    Story& story_;
    const Settings& settings_;
    Random random_;
    std::string log_;
    std::set<std::pair<std::string, std::string>> drains_;
    std::map<std::string, Moment> commands_;
    Moment last_restart_{}, own_fault_{}, last_drain_ = -1h, stalled_until_ = -1h;
    bool last_restart_long_ = false;
};

} // namespace fairway::sim
