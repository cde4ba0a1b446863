// A switch: moving a service's stateful tier with the operator's runbook, one durable step after the other
// (L15-L18).
#pragma once

#include "config/model.hpp"
#include "config/time.hpp"
#include "policies/transition.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::policies {

/// Why a switch is wanted. Judged again before fence and before promote; what an operator asked for never
/// goes away by itself. `site_down` is active/passive without `follow`.
enum class SwitchCause : std::uint8_t {
    primary_gone,
    application_down,
    site_down,
    requested_failover,
    requested_failback,
    requested_move ///< a planned switch: announced by a short TTL, and done when the old answers are gone
};
std::string_view to_string(SwitchCause c);

enum class SwitchStep : std::uint8_t {
    awaiting_approval,
    announce, ///< planned: the TTL is down, answers with the long one are waited out
    prepare,
    fence,
    promote,
    failback,
    await_role,
    after_failover,
    old_answers, ///< planned: it has moved, answers that name the old site are waited out
    done,
    obsolete
};
std::string_view to_string(SwitchStep s);

/// Durable: after a restart the step under way is run again with the same id (hooks are idempotent by id).
struct Switch {
    std::string id; ///< of service, followed epoch and target: the same on a second node or after a restart
    SwitchCause cause{};
    SwitchStep step = SwitchStep::awaiting_approval;
    std::string from, to;      ///< datacenters; `from` is empty if nothing was followed
    std::string reason;        ///< a sentence
    std::string operator_name; ///< who asked or approved; empty: automatic
    WallTime started{};
    WallTime step_since{};
    SwitchStep resume = SwitchStep::prepare; ///< where approval lets it go on
    bool fence_begun = false;
    bool approved = false;
    bool while_frozen = false; ///< asked for or approved under a freeze: goes on in spite of it
    bool insisted = false;     ///< a person approved promoting although the primary may still be there
    bool blind = false;        ///< a person was asked to let it go on although a site cannot be looked at
    Duration announced{};      ///< planned: how long answers live that were given before it was asked for
    bool data_judged = false;  ///< the RPO guard let it pass (L16): stands, even if a restart forgets the lag
    bool by_window = false;    ///< waits only because of a hold window: begins by itself when that is over
    bool by_primary = false;   ///< waits only because the primary lives: goes on by itself when that is gone
    std::string failure;       ///< why it waits, if a step failed
};

/// Ask to run one hook. The answer comes back as HookResult with the same switch id and step.
struct HookRequest {
    std::string service; ///< by name: it may wait for the store while services are numbered anew
    std::string switch_id;
    Hook::Step step{};
    std::string from, to, reason;
    std::optional<Duration> lag; ///< of the target behind the last known primary
};

struct HookResult {
    std::string service; ///< by name: indices change with a reload
    std::string switch_id;
    Hook::Step step{};
    bool ok = false;
    std::string detail; ///< "exit status 1: could not connect", "timed out after 10s"
};

/// What the world looks like to a switch, as far as it matters for its next step.
struct RunbookView {
    const Service& service;
    bool cause_holds = true;    ///< the reason, judged now
    bool unsettled = false;     ///< a claim stirs elsewhere, or the target has not answered lately: wait
    std::string dark;           ///< the sites that cannot be looked at now; empty: all can
    bool target_failed = false; ///< nobody can be moved to the target any more
    bool role_arrived = false;  ///< the target holds the role (or there is none to wait for)
    std::optional<bool> source_claims =
        false; ///< `from` said primary since promoting began (false: nothing is followed); nullopt: not known
    bool source_well = true;          ///< the site that is left serves: there is time to announce it
    bool still_there = false;         ///< the site that is left still holds the primary
    bool role_elsewhere = false;      ///< it turned up at another site: nothing is left to do
    std::optional<std::string> guard; ///< why promoting would put data at risk (L16); empty: it would not
    std::optional<Duration> lag;
    Now now;
};

/// What a step of the runbook wants done.
struct RunbookStep {
    std::vector<HookRequest> hooks;
    std::vector<Transition> transitions;
    bool changed = false;        ///< the switch must be written down again
    bool ended = false;          ///< done or obsolete: forget it
    std::optional<WallTime> due; ///< when it has waited long enough
};

/// A person's approval, or a hook, is waited for no longer than this.
inline constexpr Duration approval_lasts = 24h;

/// A switch at its first step. `wait` is why a person has to approve it; empty: it starts.
Switch new_switch(const Service& service, SwitchCause cause, std::string epoch, std::string from,
                  std::string to, std::string reason, std::string wait, Now now);

/// Goes as far as can be gone without waiting. `hook_running`: the step's hook has been asked for.
RunbookStep advance(Switch& s, bool& hook_running, const RunbookView& view);

/// What each step of a switch would be, in words, without beginning it.
std::vector<std::string> steps_ahead(const Switch& s, const Service& service);

/// May it be given up: nothing has been touched yet, or (`forced`) a person has undone what was. Else why
/// not.
std::optional<std::string> past_return(const Switch& s, bool hook_running, bool forced = false);

/// Takes a hook's result, or an operator's approval (`who` answers for it). What follows is advance()'s to
/// say.
RunbookStep hook_ended(Switch& s, bool& hook_running, const HookResult& result, const RunbookView& view);
RunbookStep approve(Switch& s, bool& hook_running, const std::string& who, const RunbookView& view);

} // namespace fairway::policies
