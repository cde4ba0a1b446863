// Commands: what an operator may ask of the decision, and the records that outlive the process.
#pragma once

#include "policies/answer_plan.hpp"
#include "policies/learned.hpp"
#include "policies/runbook.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairway::policies {

/// What an override is about. More of it given is narrower: service and datacenter are one endpoint.
struct Scope {
    std::string service;    ///< empty: every service
    std::string datacenter; ///< empty: every datacenter
    std::string tag;        ///< of services; empty: whatever their tags
    bool operator==(const Scope&) const = default;
    std::string to_string() const; ///< "datacenter east", "shop.gtm.example.com in east"
};

/// An operator's word over health (L19). Persisted; ends by command or at `expires`.
struct Override {
    /// The first that covers an endpoint rules it. Force-down takes it out whatever else is said; maintenance
    /// and drain do too, each for a reason of its own; force-up counts as healthy
    /// (under `follow` the application only). A freeze keeps the published answers as they are.
    /// A drill loses a datacenter for a while (policies/drill.hpp).
    enum class Kind { force_down, maintenance, drain, force_up, freeze, drill };
    std::string id;
    Kind kind = Kind::drain;
    Scope scope;
    std::string reason, operator_name;
    WallTime since{}, expires{};
    bool with_hooks = false; ///< drill: the runbook is run too
};

std::string_view to_string(Override::Kind kind);

struct SetOverride {
    Scope scope;
    std::string reason;
    Duration lasts = 24h;
    bool force = false; ///< even the last usable site
    Override::Kind kind = Override::Kind::drain;
    bool with_hooks = false; ///< of a drill
};
struct EndOverride {
    Scope scope; ///< must be that of an override
    Override::Kind kind = Override::Kind::drain;
    bool force = false; ///< of a force-up: even if its end takes the last usable site
};
struct Failover {
    std::string service, to;
    bool accept_claim = false; ///< follow a claim below the followed epoch or of another system (L13)
};
struct Failback {
    std::string service;
};
/// Lets a switch that waits go on; `dry_run` tells what is at stake and lets it wait.
struct Approve {
    std::string switch_id;
    bool dry_run = false;
};
/// A planned switch; `dry_run` tells what it would do and begins nothing.
struct Move {
    std::string service, to;
    bool dry_run = false;
};
/// Gives up the service's switch, before anything has been touched.
struct Abort {
    std::string service;
    bool force = false; ///< what was touched has been undone by hand
};

struct Command {
    std::variant<SetOverride, EndOverride, Failover, Failback, Approve, Move, Abort> what;
    std::string operator_name;
    bool while_frozen = false; ///< said in the knowledge that a freeze holds what it is about
};

struct CommandResult {
    bool accepted = false;
    std::string message;              ///< one sentence: what was done, or why not and what to do instead
    std::vector<std::string> details; ///< the services it would have emptied, ...
};

// ---- what is durable (L20). Datacenters and services by name: indices change with a reload.

struct ClaimRecord {
    std::string datacenter, system;
    std::optional<std::uint64_t> epoch;
};

/// When automation last took an endpoint back in, and whether the next return is held (L5).
struct ReturnRecord {
    std::string datacenter;
    WallTime at{};
    bool suppressed = false;
    std::optional<unsigned> ramp_step{}; ///< on its way back to its whole share
    WallTime ramp_since{};
};

/// When automation took an endpoint out that had been in (L9): a restart within 60 s brakes as before.
struct OutRecord {
    std::string datacenter;
    WallTime since{};
};

/// How an endpoint was told last: a restart within 60 s is no news (O4).
struct EndpointRecord {
    std::string datacenter;
    bool fit = false, degraded = false, braked = false, pressed = false;
    double share = 1;
    WallTime since{}; ///< of `fit`
};

/// What was answered last, as it was told.
struct AnswerRecord {
    std::string text, reason;      ///< "east, west", and why
    std::uint64_t fingerprint = 0; ///< of the plan but its TTL
    WallTime since{};
};

/// Redundancy as it was told last.
struct RedundancyRecord {
    unsigned survives = 0, designed = 0;
    WallTime since{};
};

/// What its load leaves an endpoint: the most that it may get of any clients.
struct LimitRecord {
    std::string datacenter;
    double limit = 1;
};

/// A frozen plan: the datacenters by name.
struct PlanRecord {
    struct Choice {
        std::string datacenter; ///< empty: of no one endpoint
        std::vector<IpAddress> addresses;
        std::uint32_t weight = 1;
        std::string cname; ///< empty: the addresses are answered
    };
    AnswerPlan::Kind kind{};
    std::uint32_t ttl = 0;
    std::vector<Choice> choices;
    std::vector<std::uint16_t> by_client;
    std::vector<Pool> pools{};
};

/// What the last fault of a datacenter may have cost: how far behind it the others were when it began.
struct FaultRecord {
    std::string datacenter;
    WallTime at{};
    std::optional<Duration> lag; ///< unset: nothing reported one
};

/// A site that was left by a switch, and is to become a standby once it answers again.
struct Rejoin {
    std::string switch_id, datacenter, to; ///< `to` has the primary now
    WallTime since{};                      ///< the end of the switch
    std::string failure;                   ///< of the hook, which is not repeated; empty: it has not run
};

struct ServiceRecord {
    std::string service;
    bool served = false;               ///< has been answered: is so at once after a warm restart (L20)
    std::optional<std::string> active; ///< latched site (active/passive without follow)
    std::optional<WallTime> active_since{};
    std::uint64_t moves = 0; ///< of the latch, ever
    std::optional<ClaimRecord> followed;
    std::optional<WallTime> no_primary_since;
    bool no_primary_critical = false;   ///< on_no_primary applies
    std::vector<std::string> last_good; ///< datacenters of the last plan that had a fit endpoint
    std::vector<ReturnRecord> returns;
    std::vector<OutRecord> outs{}; ///< who went first is first
    std::vector<EndpointRecord> endpoints{};
    std::optional<AnswerRecord> answer{};
    std::optional<RedundancyRecord> redundancy{};
    std::string missed{}; ///< objectives that could not be met
    std::optional<WallTime> missed_since{};
    std::optional<WallTime> all_down_since{}, excluded_since{}; ///< unset: it was not so
    bool awaiting_failback = false;
    std::vector<LimitRecord> limits{};
    Duration load_lag{};              ///< as it was measured
    std::optional<PlanRecord> frozen; ///< what is answered whatever happens
    std::optional<Switch> running;    ///< the switch, if one is
    std::optional<Rejoin> rejoin{};
    std::optional<WallTime> diverging_since{};
    std::optional<FaultRecord> fault{}; ///< the last one of a datacenter with a stateful tier
};

struct MemberRecord {
    std::string key;     ///< ProbeSpec::key()
    bool decided = true; ///< false: forget what was written before
    bool up = false;
    WallTime since{};
    unsigned passes = 0, fails = 0;
    WallTime run_since{};                  ///< begin of the present unbroken run
    std::optional<bool> requirements_hold; ///< role and quorum
    std::optional<bool> keeps_up;          ///< max_lag is kept
    bool degraded = false;
    std::optional<double> weight; ///< the share of its traffic it asked for
};

/// What an alias' name had (L3): a restart while it cannot be resolved loses nothing.
struct AliasRecord {
    std::string service, datacenter, name;
    std::vector<IpAddress> addresses;
};

/// What the state store gives back at the start.
struct Restored {
    std::vector<ServiceRecord> services;
    std::vector<MemberRecord> members;
    std::vector<Override> overrides;
    std::vector<AliasRecord> aliases;
    std::vector<LearnedRecord> learned;
    std::optional<WallTime> alive; ///< when the last process was last known to look; unset: a first start
    std::uint64_t generation = 0;
};

} // namespace fairway::policies
