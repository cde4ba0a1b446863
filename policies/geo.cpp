#include "policies/selection.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace fairway::policies {

namespace {

bool among(const auto& words, const auto& word) { return std::ranges::find(words, word) != words.end(); }

bool said(const auto& words, const auto& word) { return words.empty() || among(words, word); }

} // namespace

bool matches(const Whom& whom, const ClientClass& clients) {
    return said(whom.regions, clients.region) && said(whom.countries, clients.country) &&
           said(whom.continents, clients.continent) && said(whom.asns, clients.asn) &&
           (!whom.networks || among(clients.lists, *whom.networks));
}

std::optional<EndpointIndex> nearest_by_map(const Ground& g, const ClientClass& clients) {
    auto rank = [&](const Candidate& c) {
        const Datacenter& dc = g.model.datacenter_of(g.service, c.endpoint);
        double away = std::numeric_limits<double>::infinity();
        if (clients.coordinates && dc.coordinates) away = distance_km(*clients.coordinates, *dc.coordinates);
        return std::tuple(c.rank(), clients.region.empty() || dc.region != clients.region, away);
    };
    const Candidate* best = nullptr;
    for (const Candidate& c : g.candidates)
        if (c.usable && (!best || rank(c) < rank(*best))) best = &c;
    return best ? std::optional(best->endpoint) : std::nullopt;
}

// A branch without a fit endpoint is passed over; if none is left, the first fit endpoint answers (L7).
Pool geo(const Geo& policy, const Ground& g, ClientClassIndex k, Previous& previous) {
    const ClientClass& clients = g.model.clients.classes[k];
    std::optional<EndpointIndex> e;
    if (policy.branches.empty()) e = nearest_by_map(g, clients);
    for (const Branch& b : policy.branches) {
        if (!matches(b.whom, clients)) continue;
        Pool pool = pick(b.policy, g, k, previous);
        if (std::ranges::any_of(pool.members, [&](auto& m) { return g.candidates[m.choice].fit; }))
            return pool;
    }
    for (const Candidate& c : g.candidates)
        if (c.fit && !e) e = c.endpoint;
    for (const Candidate& c : g.candidates)
        if (c.usable && !e) e = c.endpoint;
    return e ? Pool{.members = {{*e}}} : Pool{};
}

} // namespace fairway::policies
