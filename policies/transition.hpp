// A transition: something changed, why, and on what evidence. Every change of an answer has one.
//
// The same text serves the log, the journal, the status page, notifications and `explain`.
#pragma once

#include "config/time.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::policies {

enum class Severity : std::uint8_t { info, warning, critical };
std::string_view to_string(Severity s);

/// What changed. A closed list: it is the message id of the log and a metric label.
enum class Change : std::uint8_t {
    member_up,
    member_down,
    member_held, // a check's verdict; held: silence under self-doubt
    endpoint_fit,
    endpoint_unfit,
    endpoint_braked,
    endpoint_suppressed,
    endpoint_pressed, // an endpoint of a service
    endpoint_degraded,
    endpoint_share,  // it ranks behind, or is whole again; it asks for another share of its traffic
    load_shed,       // its load moves a part of its traffic away, or back
    partial_failure, // holds the primary while its application is down (L14)
    served,
    undecided_over, // first answer after the start; 10 s passed without one (L20)
    plan_changed,   // the answer itself, with from and to
    all_down,
    all_down_over, // on_all_down began or ended (L8)
    failover,
    failback,
    awaiting_failback, // active/passive without follow (L10, L12)
    primary_followed,
    no_primary,
    no_primary_critical,
    no_primary_over,
    two_primaries,
    two_primaries_over,
    stale_claim, // L13, L14
    self_doubt,
    self_doubt_over,
    references_silent,
    references_answer, // L4
    switch_started,
    switch_step,
    switch_waiting,
    switch_done,
    switch_failed,
    switch_obsolete, // L17
    rejoin_started,
    rejoin_ended,
    rejoin_failed, // the old primary becomes a standby (L18)
    group_held,
    group_free, // a group of services has nowhere where all of it is fit, or has again
    diverging,
    diverging_over, // an eventually consistent store is written on two sides that do not reach each other
                    // (S4)
    redundancy_lost,
    redundancy_back,
    objectives_missed,
    objectives_met, // L21
    override_set,
    override_ended,
    override_expired,
    drill_started,
    drill_ended,
    store_failed,
    store_recovered,
    state_set_aside,
    alias_changed,
    alias_failing,
    alias_resolves, // the addresses of an endpoint's `alias`
    configuration_loaded,
    configuration_refused, // daemon
};
std::string_view to_string(Change c); ///< "member-down": the message id

struct Transition {
    Change change{};
    Severity severity = Severity::info;
    std::string service; ///< empty where it is not about one
    std::string datacenter;
    std::string subject;               ///< member, override or switch id; empty if none
    std::string from, to;              ///< states or answers, in words
    std::string reason;                ///< one sentence an operator can act on
    std::vector<std::string> evidence; ///< the observations or facts that decided, newest last
    std::optional<Instant> fault; ///< begin of the first probe that saw the cause, where there is one (O3)
    Instant decided{};
    bool drill = false; ///< of a drill, not of the world
};

/// A condition that lasts and that somebody should know of. Raised and cleared by transitions.
struct Alarm {
    std::string id; ///< "no_primary", "two_primaries", "self_doubt", ...
    Severity severity = Severity::warning;
    std::string service, datacenter;
    std::string text;
    Instant since{};
    bool drill = false; ///< of a drill, not of the world
};

} // namespace fairway::policies
