// A switch: moving a service's stateful tier with the operator's runbook, one durable step after the other (L15-L18).
#pragma once

#include "config/model.hpp"
#include "config/time.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fairway::policies {

/// Why a switch is wanted. Judged again before fence and before promote; `requested` never goes away by itself.
enum class SwitchCause : std::uint8_t { primary_gone, application_down, requested_failover, requested_failback };
std::string_view to_string(SwitchCause c);

enum class SwitchStep : std::uint8_t {
    awaiting_approval, prepare, fence, promote, failback, await_role, after_failover, done, obsolete
};
std::string_view to_string(SwitchStep s);

/// Durable: after a restart the step under way is run again with the same id (hooks are idempotent by id).
struct Switch {
    std::string id; ///< of service, followed epoch and target: the same on a second node or after a restart
    SwitchCause cause{};
    SwitchStep step = SwitchStep::awaiting_approval;
    std::string from, to; ///< datacenters; `from` is empty if nothing was followed
    std::string reason;   ///< a sentence
    std::string operator_name; ///< who asked or approved; empty: automatic
    WallTime started{};
    WallTime step_since{};
    SwitchStep resume = SwitchStep::prepare; ///< where approval lets it go on
    bool fence_begun = false;
    bool approved = false;
    std::string failure; ///< why it waits, if a step failed
};

/// Ask to run one hook. The answer comes back as HookResult with the same switch id and step.
struct HookRequest {
    ServiceIndex service = 0;
    std::string switch_id;
    Hook::Step step{};
    std::string from, to, reason;
    std::optional<Duration> lag; ///< of the target behind the last known primary
};

struct HookResult {
    std::string service;   ///< by name: indices change with a reload
    std::string switch_id;
    Hook::Step step{};
    bool ok = false;
    std::string detail;    ///< "exit status 1: could not connect", "timed out after 10s"
};

} // namespace fairway::policies
