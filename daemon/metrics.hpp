// What Prometheus scrapes. States come from the report of the moment, counts from the transitions and the DNS
// workers.
//
// A state is one series of value 1 whose label names it, so that "undecided" is never read as up or down
// (H4). Counting belongs to the control thread, the text to whichever thread serves it.
#pragma once

#include "daemon/controller.hpp"
#include "dns/counters.hpp"

#include <memory>
#include <string>

namespace fairway::daemon {

/// What the DNS workers have counted since the start.
struct DnsCounts {
    dns::Counts udp, tcp;
};

class Metrics {
  public:
    Metrics();
    ~Metrics();
    void happened(const Happening& h);
    void answered(const Happening& h);

    /// `age`: of the report, when control could not make a fresh one.
    std::string text(const policies::Report& report, const DnsCounts& dns, Duration age) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace fairway::daemon
