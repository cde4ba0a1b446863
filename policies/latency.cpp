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

/// How far a datacenter is from clients of a class, in milliseconds.
double cost_ms(const Model& model, const ClientClass& clients, DatacenterIndex dc) {
    if (dc < clients.rtt_ms.size() && clients.rtt_ms[dc]) return *clients.rtt_ms[dc];
    // Light in fibre there and back takes 1 ms per 100 km; real paths are about half as long again.
    const auto& site = model.datacenters[dc].coordinates;
    if (clients.coordinates && site) return distance_km(*clients.coordinates, *site) * 0.015;
    return std::numeric_limits<double>::infinity();
}

bool worth_it(double from_ms, double to_ms, const Latency& policy) {
    if (std::isinf(from_ms)) return true; // nothing known of where it is: nothing to hold on to
    double absolute = std::chrono::duration<double, std::milli>(policy.margin_absolute).count();
    return from_ms - to_ms > std::max(absolute, policy.margin_relative * from_ms);
}

/// The nearest candidate of the best rank; the one answered so far unless the gain is above the margin.
std::optional<EndpointIndex> nearest(const Latency& policy, const Model& model, const Service& service,
                                     const ClientClass& clients, std::span<const Candidate> candidates,
                                     std::optional<EndpointIndex> previous) {
    auto cost = [&](EndpointIndex e) { return cost_ms(model, clients, service.endpoints[e].datacenter); };
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

} // namespace

AnswerPlan latency(const Latency& policy, const Model& model, const Service& service,
                   std::span<const Candidate> candidates,
                   std::vector<std::optional<EndpointIndex>>& previous) {
    AnswerPlan plan{.kind = AnswerPlan::Kind::by_client};
    std::vector<std::optional<std::uint16_t>> choice_of(candidates.size());
    previous.resize(model.clients.classes.size());
    for (std::size_t i = 0; i < model.clients.classes.size(); ++i) {
        auto e = nearest(policy, model, service, model.clients.classes[i], candidates, previous[i]);
        if (!e) return AnswerPlan{};
        previous[i] = e;
        if (!choice_of[*e]) {
            choice_of[*e] = static_cast<std::uint16_t>(plan.choices.size());
            plan.choices.push_back({*e, candidates[*e].addresses, 1, candidates[*e].cname});
        }
        plan.by_client.push_back(*choice_of[*e]);
    }
    return plan;
}

} // namespace fairway::policies
