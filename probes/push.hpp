// Push: what datacenters report of themselves, and what their silence comes to.
//
// A report is an observation as it comes: `fall` counts reports. When none has come for the check's time to
// live the member is unknown, again and again: silence moves no verdict. A claim to be primary is held for
// three times as long, then it has ended (policies/follow; L13, L14). Members of every other kind are handed
// on to another prober. Belongs to the control loop's thread.
#pragma once

#include "probes/async/loop.hpp"
#include "probes/checks/check.hpp"
#include "probes/prober.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fairway::probes {

class PushDesk final : public Prober {
  public:
    PushDesk(Loop& control, Prober& others, Sink sink)
        : control_(control), others_(others), sink_(std::move(sink)) {}

    void assign(std::vector<Assignment> members) override;
    void look(std::span<const MemberId> members) override; ///< nobody can be made to report
    void resolve(std::vector<std::string> names) override { others_.resolve(std::move(names)); }

    /// False: the configuration has no such check that this datacenter could report to.
    bool report(const std::string& check, const std::string& datacenter, Finding said);

  private:
    struct Reporter {
        MemberId id = 0;
        Duration ttl{};
        Loop::HandlePtr silence; ///< until its last report is not believed any more
    };
    using Key = std::pair<std::string, std::string>; ///< check, datacenter
    void tell(const Reporter& r, Finding found);
    void wait(const Key& key, Reporter& r);

    Loop& control_;
    Prober& others_;
    Sink sink_;
    std::map<Key, Reporter> reporters_;
};

/// What a report says: a JSON mapping with the keys that exec's output has. Nothing, and `error` says why, if
/// it cannot be used.
std::optional<Finding> read_report(std::string_view json, std::string& error);

} // namespace fairway::probes
