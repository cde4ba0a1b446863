// Runs the operator's runbook programs. A seam: a helper process and HTTPS in the daemon, scripted in
// tests/sim.
#pragma once

#include "config/model.hpp"
#include "policies/runbook.hpp"

#include <functional>

namespace fairway::daemon {

class HookRunner {
  public:
    using Done = std::function<void(policies::HookResult)>; ///< in the control loop, exactly once

    virtual ~HookRunner() = default;
    virtual void run(const Hook& hook, const Service& service, const policies::HookRequest& request,
                     Done done) = 0;
};

} // namespace fairway::daemon
