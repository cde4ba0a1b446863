// Commands: what an operator may ask of the decision, and the records that outlive the process.
#pragma once

#include "policies/runbook.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairway::policies {

/// What an override is about. More of it given is narrower: both is one endpoint of one service.
struct Scope {
    std::string service;    ///< empty: every service
    std::string datacenter; ///< empty: every datacenter
    bool operator==(const Scope&) const = default;
    std::string to_string() const; ///< "datacenter east", "shop.gtm.example.com in east"
};

/// An operator's word over health (L19). Persisted; ends by undrain or at `expires`.
struct Override {
    enum class Kind { drain };
    std::string id;
    Kind kind = Kind::drain;
    Scope scope;
    std::string reason, operator_name;
    WallTime since{}, expires{};
};

struct Drain {
    Scope scope;
    std::string reason;
    Duration lasts = 24h;
    bool force = false; ///< even the last usable site
};
struct Undrain {
    Scope scope; ///< must be one that was drained
};
struct Failover {
    std::string service, to;
    bool accept_claim = false; ///< follow a claim below the followed epoch or of another system (L13)
};
struct Failback {
    std::string service;
};
struct Approve {
    std::string switch_id;
};

struct Command {
    std::variant<Drain, Undrain, Failover, Failback, Approve> what;
    std::string operator_name;
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
    std::optional<Switch> running; ///< the switch, if one is
};

struct MemberRecord {
    std::string key;     ///< ProbeSpec::key()
    bool decided = true; ///< false: forget what was written before
    bool up = false;
    WallTime since{};
    unsigned passes = 0, fails = 0;
    WallTime run_since{}; ///< begin of the present unbroken run
    std::optional<bool> requirements_hold;
};

/// What the state store gives back at the start.
struct Restored {
    std::vector<ServiceRecord> services;
    std::vector<MemberRecord> members;
    std::vector<Override> overrides;
    std::optional<WallTime> alive; ///< when the last process was last known to look; unset: a first start
    std::uint64_t generation = 0;
};

} // namespace fairway::policies
