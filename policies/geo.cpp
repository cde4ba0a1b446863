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

namespace {
std::optional<EndpointIndex> first_there_is(std::span<const Candidate> list) {
    for (const Candidate& c : list)
        if (c.fit) return c.endpoint;
    for (const Candidate& c : list)
        if (c.usable) return c.endpoint;
    return std::nullopt;
}
} // namespace

// A branch without a fit endpoint is passed over; if none is left, the first fit endpoint answers (L7).
Pool geo(const Geo& policy, const Ground& g, ClientClassIndex k, Previous& previous) {
    const ClientClass& clients = g.model.clients.classes[k];
    if (policy.branches.empty())
        if (Pool pool = in_turn(
                [&](std::span<const Candidate> list) {
                    return nearest_by_map({g.model, g.service, list}, clients);
                },
                g);
            !pool.members.empty())
            return pool;
    for (const Branch& b : policy.branches) {
        if (!matches(b.whom, clients)) continue;
        Pool pool = pick(b.policy, g, k, previous);
        if (std::ranges::any_of(pool.members, [&](auto& m) { return g.candidates[m.choice].fit; }))
            return pool;
    }
    return in_turn(first_there_is, g);
}

} // namespace fairway::policies
