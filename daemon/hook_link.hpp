// The daemon's end of the hook helper: requests out, results in, in the control loop.
//
// Every run is answered exactly once: by the helper, or with a failure if it is gone or silent beyond the
// hook's own timeout. A helper that has died stays dead: no process is forked once threads run.
#pragma once

#include "daemon/helper.hpp"
#include "daemon/hook_runner.hpp"
#include "probes/async/loop.hpp"

#include <map>

namespace fairway::daemon {

class HookLink : public HookRunner {
  public:
    HookLink(Loop& loop, Helper helper);
    ~HookLink() override; ///< ends the helper and what it runs, and waits for it

    void run(const Hook& hook, const Service& service, const policies::HookRequest& request,
             Done done) override;

    bool busy() const { return !running_.empty(); }

  private:
    /// Beyond the hook's timeout: TERM, two seconds, KILL, and the way back.
    static constexpr Duration slack = 10s;

    struct Running {
        policies::HookResult result; ///< so far: who asked
        Done done;
        Loop::HandlePtr limit;
    };
    void receive();
    void finish(std::uint64_t number, bool ok, std::string detail);
    void lost();

    Loop& loop_;
    Helper helper_;
    Loop::HandlePtr watch_;
    std::map<std::uint64_t, Running> running_;
    std::uint64_t last_ = 0;
};

} // namespace fairway::daemon
