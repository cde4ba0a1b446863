// Policies: which of its fit endpoints a service answers, to whom. The configuration only; the decisions are
// in policies/.
#pragma once

#include "config/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fairway {

using EndpointIndex = std::uint16_t; ///< within its service

/// Active/passive: by priority, or wherever the database's primary is. In a branch it is an order and no
/// more: it latches nothing, and returns by itself.
struct ActivePassive {
    std::vector<EndpointIndex> order; ///< best first; those not named are excluded
    bool follow_primary = false;      ///< of a service's own policy only
};
/// One datacenter an answer, drawn by weight.
struct Weighted {
    std::vector<unsigned> weights{}; ///< of a branch, by endpoint; empty: those of the endpoints
};
/// One datacenter an answer, each as often as the others.
struct RoundRobin {};
/// Nearest by round-trip time, else by distance.
struct Latency {
    Duration margin_absolute = 10ms; ///< with `margin_relative`, the larger: a gain below it switches nothing
    double margin_relative = 0.15;
};
/// One datacenter for each client network, shared out by weight; only the clients of one that leaves move.
struct Sticky {
    std::vector<unsigned> weights{}; ///< as in Weighted
};
/// Every fit address in one answer.
struct All {};

struct Branch;
/// By where the client is: the first branch that matches and has a fit endpoint. Without branches the
/// datacenter in the client's own region, else the nearest by map.
struct Geo {
    std::vector<Branch> branches;
};

using Policy = std::variant<ActivePassive, Weighted, RoundRobin, Latency, Geo, Sticky, All>;

/// Which clients a branch is for: each thing that is said must hold, of a list one word; nothing said: all.
struct Whom {
    std::vector<std::string> regions, countries, continents;
    std::vector<std::uint32_t> asns;
    std::optional<std::uint16_t> networks; ///< index into Clients::lists
};
struct Branch {
    Whom whom;
    Policy policy;
};

} // namespace fairway
