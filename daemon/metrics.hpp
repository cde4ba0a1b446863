// What Prometheus scrapes. States come from the report of the moment, counts from the transitions and the DNS
// workers.
//
// A state is one series of value 1 whose label names it, so that "undecided" is never read as up or down
// (H4). Counting belongs to the control thread, the text to whichever thread serves it.
#pragma once

#include "daemon/controller.hpp"
#include "daemon/post/courier.hpp"
#include "dns/counters.hpp"

#include <memory>
#include <span>
#include <string>

namespace fairway::daemon {

/// What the DNS workers have counted since the start.
struct DnsCounts {
    dns::Counts udp, tcp;
};

/// What is not in the report: asked of whoever does the work.
struct Vitals {
    DnsCounts dns;
    std::vector<NotificationCounts> notifications;
    Duration probe_lag{};       ///< how late the looks' timers were at worst in the last 10 to 20 s
    unsigned event_streams = 0; ///< readers of /v1/events
};

class Metrics {
  public:
    Metrics();
    ~Metrics();
    /// What probes saw, of the engine's members: how long they took, by kind and datacenter.
    void seen(std::span<const Observation> batch, const policies::Engine& engine);
    void happened(const Happening& h);
    void answered(const Happening& h);

    /// `age`: of the report, when control could not make a fresh one.
    std::string text(const policies::Report& report, const Vitals& vitals, Duration age) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace fairway::daemon
