// Hooks in the journal: runs them with another runner and tells of each, once it has ended.
//
// Belongs to the control loop, as what it wraps.
#pragma once

#include "daemon/hook_runner.hpp"
#include "daemon/journal_entry.hpp"
#include "probes/async/loop.hpp"

namespace fairway::daemon {

class HookJournal : public HookRunner {
  public:
    using Tell = std::function<void(JournalEntry)>;

    HookJournal(Loop& loop, HookRunner& runner, Tell tell)
        : loop_(loop), runner_(runner), tell_(std::move(tell)) {}

    void run(const Hook& hook, const Service& service, const policies::HookRequest& request,
             Done done) override;

  private:
    Loop& loop_;
    HookRunner& runner_;
    Tell tell_;
};

} // namespace fairway::daemon
