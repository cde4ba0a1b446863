// What befalls the swarm's worlds: faults, repairs, operators and restarts, drawn one after the other.
#pragma once

#include "tests/sim/story.hpp"
#include "tests/sim/swarm/settings.hpp"

#include <map>
#include <set>

namespace fairway::sim {

class Faults {
  public:
    Faults(Story& story, const Settings& settings) : story_(story), settings_(settings) {}

    std::function<void()> before_restart; ///< called when a daemon is about to be killed

    void strike(Random random); ///< one thing happens
    void wrong(const std::string& what) { wrong_ += what + "\n"; }
    const std::string& wrong() const { return wrong_; } ///< what an operator was told that cannot be
    void mend_all(); ///< everything works again, each database with one primary; drains are lifted
    const std::string& log() const { return log_; }

    bool drained(const std::string& service, const std::string& site) const {
        return drains_.contains({service, site});
    }
    Moment stalled_until() const { return stalled_until_; }
    Moment last_drain() const { return last_drain_; }                     ///< or undrain
    std::optional<Moment> last_command(const std::string& service) const; ///< an operator's, to move it
    Moment last_restart() const { return last_restart_; }
    Moment last_reload() const { return last_reload_; }
    bool last_restart_long() const { return last_restart_long_; }
    Moment last_drill() const { return last_drill_; } ///< last moment one was under way
    void look();                                      ///< once a simulated second
    Moment own_fault() const { return own_fault_; }   ///< last moment our node, disk or process was hurt

  private:
    void site();
    void application();
    void database();
    void line();
    void ourselves();
    void operators();
    void drains(const std::string& service, const std::string& site);
    void look_at_drains();
    void reloads();
    void asks(const std::string& site);
    void drills(const std::string& site);
    void measures(const std::string& site);
    void programs();
    void restart();
    void note(const std::string& what);

    Story& story_;
    const Settings& settings_;
    Random random_{0};
    std::string log_, wrong_;
    policies::Learned learned_;
    std::vector<std::string> networks_{"203.0.113.0/24", "192.0.2.0/25", "198.51.100.0/24", "2001:db8::/32"};
    std::set<std::pair<std::string, std::string>> drains_, unheard_; ///< not yet heard of: is it on disk?
    std::map<std::string, Moment> commands_;
    Moment last_restart_{}, own_fault_{}, last_drain_ = -1h, last_drill_ = -1h, stalled_until_ = -1h;
    Moment last_reload_ = -1h;
    bool last_restart_long_ = false, other_checks_ = false;
};

} // namespace fairway::sim
