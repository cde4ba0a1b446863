// The report: everything the decision knows, as plain values, for status, metrics and explain.
#pragma once

#include "policies/answer_plan.hpp"
#include "policies/command.hpp"
#include "policies/observation.hpp"
#include "policies/transition.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::policies {

/// Three-valued: is it fit to be used?
enum class Readiness : std::uint8_t { undecided, ready, unready };
std::string_view to_string(Readiness r);

struct MemberReport {
    MemberId id = 0;
    std::string check, kind, target, datacenter;
    std::vector<std::string> services; ///< that it is looked at for
    Readiness verdict = Readiness::undecided;      ///< does it work
    Readiness requirements = Readiness::undecided; ///< do its facts satisfy the check
    bool held = false;                             ///< silent, and not believed because of self-doubt
    std::optional<Observation> last;
    std::optional<Duration> lag; ///< reckoned (L16)
    unsigned passes = 0, fails = 0;
    Instant since{};
};

struct EndpointReport {
    std::string datacenter;
    Readiness application = Readiness::undecided,
              stateful = Readiness::undecided; ///< `ready` where there is no check
    bool fit = false, excluded = false, braked = false, suppressed = false;
    bool degraded = false; ///< ready, and ranks behind those that are whole
    bool in_plan = false;
    double share = 0; ///< of the answers, 0..1; by_client plans: of the client classes
    std::optional<Role> role;
    std::optional<std::uint64_t> epoch;
    std::optional<Duration> lag;
    std::optional<double> load, capacity; ///< in one unit; a load without a capacity is in parts of 1
    std::optional<double> use;            ///< of its capacity
    double limit = 1;                     ///< what its load leaves it, of any clients
    std::vector<IpAddress> addresses;     ///< those fit to be answered
    std::string reason;                   ///< why it is fit or not, one sentence
    Instant since{};
};

struct ServiceReport {
    std::string name, policy;
    std::string state;     ///< "serving", "undecided", "held: no primary", "all down: last_good", ...
    std::string active;    ///< the datacenter that answers, where it is one; else empty
    std::string preferred; ///< where it would be if all were fit; empty where there is no such thing
    std::string reason;
    Instant since{};
    std::uint32_t ttl = 0;
    std::vector<EndpointReport> endpoints;
    std::optional<Switch> running;
    std::optional<ClaimRecord> followed;
    unsigned survives = 0, designed = 0;     ///< failure domains that may be lost: now, and if all were well
    std::optional<WallTime> diverging_since; ///< an eventual store is written on both sides of a cut
    std::optional<FaultRecord> fault;        ///< the last one of a datacenter with a stateful tier
    std::string group;                       ///< that it moves with; empty: none
    std::string missed;                      ///< objectives that could not be met now; empty: all could
    bool awaited = false; ///< decided for the first time, and the answer is not out yet: its write is awaited
};

/// A site as a whole.
struct DatacenterReport {
    std::string name;
    std::optional<double> capacity, load; ///< in one unit
    std::optional<double> use;            ///< 1: all of its capacity; of several loads the highest
    double services = 0;                  ///< the sum of its shares of their answers
    unsigned answers = 0;                 ///< how many services it answers
};

/// What one report said last that a site bears, be it long ago, and whose it is: of the services that name
/// the report; the only one of a site, about the site as a whole, is of all that are there.
struct LoadReport {
    std::string datacenter;
    double load = 0;
    std::vector<std::size_t> services; ///< as in Report::services
};

/// A drill under way, or the last one (policies/drill.hpp).
struct DrillReport {
    std::string datacenter, reason, operator_name;
    bool running = false, with_hooks = false;
    Instant begun{};
    WallTime since{}, until{};
    std::string ended;                                ///< why it is over
    std::optional<Duration> seen, decided, published; ///< from its begin to the first that ...
    std::vector<std::string> held;                    ///< services that did not move, and why
};

struct Report {
    Now at;
    std::uint64_t generation = 0;
    bool doubt = false;
    std::vector<Alarm> alarms;
    std::vector<ServiceReport> services;
    std::vector<MemberReport> members;
    std::vector<Override> overrides;
    std::vector<DatacenterReport> datacenters{};
    std::vector<LoadReport> loads{};
    std::optional<DrillReport> drill{};
};

/// Why a client gets the answer it gets: every stage and every candidate, kept or dropped.
struct Explanation {
    struct Line {
        std::string
            stage; ///< "name", "client", "application", "stateful", "override", "brake", "policy", "answer"
        std::string subject; ///< datacenter, or empty
        std::string verdict; ///< "kept", "dropped", "chosen", ...
        std::string reason;
    };
    struct Outcome {
        std::string datacenter;
        std::vector<IpAddress> addresses;
        double probability = 0;
        std::optional<Name> cname{}; ///< answered instead of addresses
    };
    std::string name, client;
    std::vector<Line> lines;
    std::vector<Outcome> answer; ///< empty: SERVFAIL or NODATA, as the last line says
    std::uint32_t ttl = 0;
};

} // namespace fairway::policies
