// What one Alertmanager has to be told: every alarm there is, again and again, and of each that has ended
// that it has, until it was heard.
//
// It remembers what is owed instead of a queue of messages: however long nobody listens, it is no more than
// the alarms there have been. A value; its owner locks.
#pragma once

#include "policies/report.hpp"

#include <map>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace fairway::daemon {

class AlarmLedger {
  public:
    /// Ended alarms that nobody has heard of; beyond it the oldest are forgotten, which costs Alertmanager
    /// the time that an alarm takes to expire there.
    static constexpr std::size_t most_ended = 10'000;
    static constexpr std::size_t batch = 256; ///< alarms a message, as Prometheus sends them

    /// `node` is the label "instance".
    explicit AlarmLedger(std::string node) : node_(std::move(node)) {}

    /// The alarms there are now. True if that is news.
    bool update(std::span<const policies::Alarm> alarms, Now now);
    bool empty() const { return entries_.empty(); }

    /// Bodies for Alertmanager's API v2. What goes on is said to end after `expires`, unless told again.
    std::vector<std::string> messages(WallTime now, Duration expires) const;
    void heard(); ///< all of the last messages

  private:
    struct Entry {
        std::string text;
        policies::Severity severity{};
        WallTime starts{};
        std::optional<WallTime> ended;
    };
    using Key =
        std::tuple<std::string, policies::Severity, std::string, std::string>; ///< what makes its labels
    void forget_oldest();
    std::string node_;
    std::map<Key, Entry> entries_;
};

} // namespace fairway::daemon
