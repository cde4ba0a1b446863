// Selection: from the endpoints that may be used to the plan that is answered. One file a policy.
//
// Filter, order, choose: who calls has filtered. Each policy says what clients of one class get, so that any
// of them can stand in a branch of another. Ties go to the earlier endpoint in the configuration.
#pragma once

#include "policies/answer_plan.hpp"

#include <functional>
#include <span>
#include <vector>

namespace fairway::policies {

/// An endpoint as selection sees it.
struct Candidate {
    EndpointIndex endpoint = 0;
    bool fit = false;    ///< false with usable: braked or answered for want of better: ranks behind
    bool usable = false; ///< may be answered at all
    std::vector<IpAddress> addresses; ///< what it would answer
    std::uint32_t weight = 1;
    std::optional<Name> cname{}; ///< answered instead of addresses
    double part = 1;             ///< of its share that it gets: below 1 on its way back (ramp)
    bool degraded = false;       ///< works, and ranks behind those that are whole
    double share = 1;            ///< of its weight, as it asks for itself
    double limit = 1;            ///< the part of any clients that its load leaves it
    /// Less is better.
    int rank() const { return fit ? int{degraded} : 2; }
    bool answers() const { return !addresses.empty() || cname; }
};

/// What a selection is made of. `candidates` has one of each endpoint, in the service's order.
struct Ground {
    const Model& model;
    const Service& service;
    std::span<const Candidate> candidates;
};

/// Per client class the endpoint that `latency` answered so far: a nearer one replaces it only for a gain
/// above the margin.
using Previous = std::vector<std::optional<EndpointIndex>>;

// ---- what clients get from one policy

/// Active/passive: the best in `order`, by rank; nullopt if none is usable.
std::optional<EndpointIndex> best_in_order(const ActivePassive& p, std::span<const Candidate> candidates);

/// The endpoint with the least round-trip time, else the nearest by map, that is worth leaving `previous`
/// for.
std::optional<EndpointIndex> nearest(const Latency& policy, const Ground& g, const ClientClass& clients,
                                     std::optional<EndpointIndex> previous);

/// How far that is, in words: "12 ms, measured", "1200 km, reckoned as 18 ms", "nobody knows how far".
std::string distance_text(const Model& model, const ClientClass& clients, DatacenterIndex datacenter);

/// The endpoint in the clients' region, else the nearest by map.
std::optional<EndpointIndex> nearest_by_map(const Ground& g, const ClientClass& clients);

bool matches(const Whom& whom, const ClientClass& clients);

/// In these, a member's `choice` is an EndpointIndex. Empty: nothing usable. `weights` as in Weighted; by
/// weight times share, and what is degraded counts half: it is relieved, and stays warm.
Pool weighted(const std::vector<unsigned>& weights, const Ground& g);
Pool round_robin(const Ground& g); ///< whatever the weights, each as often
Pool sticky(const std::vector<unsigned>& weights, const Ground& g);
Pool all(std::span<const Candidate> candidates);
Pool geo(const Geo& policy, const Ground& g, ClientClassIndex k, Previous& previous);

/// Which endpoint answers first, were these the candidates.
using Chooser = std::function<std::optional<EndpointIndex>(std::span<const Candidate>)>;

/// Where there is an order: the first keeps what its limit and its ramp leave it, the next has the rest, and
/// so on. The share of a first that cannot be used goes to the next too, or with `lost_share: spread` to all
/// that are fit.
Pool in_turn(const Chooser& first, const Ground& g);

/// The most that the endpoint may get of what was not meant for it, and its own `natural` share.
double limit_of(const Candidate& c, double natural, const Service& service);

/// The smallest numbers in the same proportion.
void reduce(Pool& pool);

/// By weight over all that are usable, `weights` by endpoint; nobody beyond its limit.
Pool by_weight(std::vector<double> weights, const Ground& g);

/// What clients of class `k` get from any policy.
Pool pick(const Policy& policy, const Ground& g, ClientClassIndex k, Previous& previous);

// ---- the plan

/// The plan that answers one endpoint, whatever its state.
AnswerPlan only(const Candidate& c);

/// The plan of a service's policy; `active` is the latched endpoint of an active/passive service.
AnswerPlan select(const Ground& g, std::optional<EndpointIndex> active, Previous& previous);

/// The most that each endpoint gets of the clients of any class.
std::vector<double> most_shares(const AnswerPlan& plan, std::size_t endpoints);

/// Does what is answered depend on where the client is?
bool topological(const Policy& policy);

/// Is the endpoint ever answered, were it fit? Weight 0, a place outside `order`, and what no branch names
/// count as excluded (L7).
bool named(const Service& service, EndpointIndex e);

/// Has a half any endpoint with an address of its family? All other services: always.
bool has_family(const Service& service);

/// The share of the answers that each choice of a plan gets, 0 to 1; client classes count alike.
std::vector<double> shares(const AnswerPlan& plan);

/// Great-circle distance in kilometres.
double distance_km(const Coordinates& a, const Coordinates& b);

std::string to_string(const Policy& policy); ///< as in YAML: "active_passive"

} // namespace fairway::policies
