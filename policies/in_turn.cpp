// What policies with an order do about limits and lost shares.
#include "policies/selection.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

namespace {

/// Who would answer if every endpoint were fit.
std::optional<EndpointIndex> home_of(const Chooser& first, const Ground& g) {
    std::vector<Candidate> all(g.candidates.begin(), g.candidates.end());
    for (Candidate& c : all) {
        c.fit = c.usable = c.weight > 0;
        c.degraded = false;
    }
    return first(all);
}

/// All that are fit and that the order names, by weight.
Pool spread_over_fit(const Chooser& first, const Ground& g) {
    std::vector<Candidate> left(g.candidates.begin(), g.candidates.end()), fit = left;
    for (Candidate& c : left) c.usable = c.fit;
    for (Candidate& c : fit) c.usable = false;
    std::vector<double> weights(fit.size(), 0);
    for (auto e = first(left); e && left[*e].usable; e = first(left)) {
        left[*e].usable = left[*e].fit = false;
        fit[*e].usable = true;
        weights[*e] = fit[*e].weight;
    }
    return by_weight(std::move(weights), {g.model, g.service, fit});
}

struct Share {
    EndpointIndex endpoint;
    double part;
};

/// Down the order until everything is given away; what nobody has room for is borne by all that got some.
Pool handed_down(std::optional<EndpointIndex> e, std::optional<EndpointIndex> home, const Chooser& first,
                 const Ground& g) {
    std::vector<Candidate> left(g.candidates.begin(), g.candidates.end());
    std::vector<Share> shares;
    double rest = 1;
    for (; e && rest > 1e-9; e = first(left)) {
        if (!left[*e].usable) break;
        const double limit = std::min(left[*e].part, limit_of(left[*e], e == home ? 1 : 0, g.service));
        const double part = std::min(rest, limit);
        shares.push_back({*e, part});
        rest -= part;
        left[*e].usable = left[*e].fit = false;
        for (Candidate& c : left) c.usable = c.fit; // who is not fit takes nothing over
    }
    Pool pool;
    for (const Share& s : shares) // limits are told in thousandths
        pool.members.push_back(
            {s.endpoint, static_cast<std::uint32_t>(std::max(1.0, std::round(s.part * 1000)))});
    reduce(pool);
    return pool;
}

} // namespace

double limit_of(const Candidate& c, double natural, const Service& service) {
    if (!service.load) return 1;
    return std::min(c.limit, std::max(service.load->max_share, natural));
}

Pool in_turn(const Chooser& first, const Ground& g) {
    const auto e = first(g.candidates);
    if (!e) return {};
    const bool spreads = g.service.lost_share == Service::LostShare::spread;
    const bool ramps = std::ranges::any_of(g.candidates, [](auto& c) { return c.usable && c.part < 1; });
    if (!g.service.load && !spreads && !ramps) return {.members = {{*e}}};
    const auto home = home_of(first, g);
    const bool lost = home && !g.candidates[*home].fit && e != home && g.candidates[*e].fit;
    if (spreads && lost) return spread_over_fit(first, g);
    return handed_down(e, home, first, g);
}

} // namespace fairway::policies
