#include "policies/selection.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace fairway::policies {

double distance_km(const Coordinates& a, const Coordinates& b) {
    constexpr double radians = std::numbers::pi / 180, earth_radius_km = 6371;
    double dlat = (b.latitude - a.latitude) * radians, dlon = (b.longitude - a.longitude) * radians;
    double h = std::pow(std::sin(dlat / 2), 2) + std::cos(a.latitude * radians) *
                                                     std::cos(b.latitude * radians) *
                                                     std::pow(std::sin(dlon / 2), 2);
    return 2 * earth_radius_km * std::asin(std::min(1.0, std::sqrt(h)));
}

namespace {

// Light in fibre there and back takes 1 ms per 100 km; real paths are about half as long again.
constexpr double ms_per_km = 0.015;

/// How far a datacenter is from clients of a class, in milliseconds.
double cost_ms(const Model& model, const ClientClass& clients, DatacenterIndex dc) {
    if (dc < clients.rtt_ms.size() && clients.rtt_ms[dc]) return *clients.rtt_ms[dc];
    const auto& site = model.datacenters[dc].coordinates;
    if (clients.coordinates && site) return distance_km(*clients.coordinates, *site) * ms_per_km;
    return std::numeric_limits<double>::infinity();
}

bool worth_it(double from_ms, double to_ms, const Latency& policy) {
    if (std::isinf(from_ms)) return true; // nothing known of where it is: nothing to hold on to
    double absolute = std::chrono::duration<double, std::milli>(policy.margin_absolute).count();
    return from_ms - to_ms > std::max(absolute, policy.margin_relative * from_ms);
}

} // namespace

std::string distance_text(const Model& model, const ClientClass& clients, DatacenterIndex dc) {
    const auto rounded = [](double d) { return std::to_string(std::lround(d)); };
    if (dc < clients.rtt_ms.size() && clients.rtt_ms[dc])
        return rounded(*clients.rtt_ms[dc]) + " ms, measured";
    const auto& site = model.datacenters[dc].coordinates;
    if (!clients.coordinates || !site) return "nobody knows how far";
    const double km = distance_km(*clients.coordinates, *site);
    return rounded(km) + " km, reckoned as " + rounded(km * ms_per_km) + " ms";
}

std::optional<EndpointIndex> nearest(const Latency& policy, const Ground& g, const ClientClass& clients,
                                     std::optional<EndpointIndex> previous) {
    const auto& candidates = g.candidates;
    auto cost = [&](EndpointIndex e) { return cost_ms(g.model, clients, g.service.endpoints[e].datacenter); };
    std::optional<EndpointIndex> best;
    for (const Candidate& c : candidates) {
        if (!c.usable) continue;
        bool better = !best || c.rank() < candidates[*best].rank() ||
                      (c.rank() == candidates[*best].rank() && cost(c.endpoint) < cost(*best));
        if (better) best = c.endpoint;
    }
    if (!best || !previous || !candidates[*previous].usable) return best;
    bool as_good = candidates[*previous].rank() <= candidates[*best].rank();
    return as_good && !worth_it(cost(*previous), cost(*best), policy) ? previous : best;
}

} // namespace fairway::policies
