// Taking the place of the fairwayd that started us (an upgrade): the new process' side. daemon/upgrade is the
// other one, daemon/takeover_link what they say.
//
// Until `serving` the old process does everything, and whatever goes wrong here ends us and nothing else. The
// main thread's, at the start; then the control thread's.
#pragma once

#include "config/model.hpp"
#include "daemon/asker.hpp"
#include "daemon/takeover_link.hpp"

#include <memory>

namespace fairway::daemon {

class Takeover {
  public:
    /// Names the link's descriptor and, after a colon, the limit of descriptors that hooks start with.
    static constexpr const char* variable = "FAIRWAYD_TAKES_OVER";

    /// Null: nobody wants us to. Forgets the variable, so that no hook sees it. Before there are threads.
    static std::shared_ptr<Takeover> from_environment();

    /// Each throws std::runtime_error with what is in the way; then failed() tells it to the other process.
    void meet();                           ///< who are we, and what are we given
    void accept(const Model& model) const; ///< what the two must have in common
    void wait_for_turn();                  ///< we are prepared; returns once the state on disk is the last
    void serving();
    void failed(const std::string& why) { link_.tell("failed", {{"why", why}}); }

    std::vector<Fd> take_sockets() { return std::move(sockets_); }
    int take_lock() { return lock_.release(); }
    bool control_stays() const { return control_stays_; }
    const Asker& asker() const { return asker_; }
    const std::string& version() const { return version_; } ///< the old one's
    /// What it had counted, when it last said; waits for nothing. False: it is gone.
    bool read_counters(std::string& counters);
    int descriptor() const { return link_.descriptor(); } ///< readable: it says something, or is gone
    void part() { link_ = TakeoverLink(Fd()); }           ///< it is gone

  private:
    explicit Takeover(Fd link) : link_(std::move(link)) {}
    TakeoverMessage hear(std::string_view word, std::chrono::milliseconds patience);

    TakeoverLink link_;
    std::vector<Fd> sockets_;
    Fd lock_;
    std::string version_, state_directory_, control_path_;
    bool control_stays_ = false;
    Asker asker_;
};

} // namespace fairway::daemon
