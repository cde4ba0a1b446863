#include "policies/shed.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fairway::policies {

namespace {

// Where a site rests: between this part of the watermark and the watermark, and it is steered to the middle.
constexpr double band = 0.9, middle = 0.95;
// How much of the way one act goes, as an exponent: what does not follow one to one (a load that grows twice
// as fast as the traffic, clients that keep old answers) still comes nearer with each act.
constexpr double gain = 0.65;
// Bounds of one act: half of its traffic may leave at once, and at most a quarter more comes back.
constexpr double most_down = 0.5, most_up = 1.25;
// What is left to a site in any case: enough to see by its load when it has room again.
constexpr double least = 0.02;
// An effect is seen when a quarter of it is there; what has not been seen for three lags is not waited for.
constexpr double seen_part = 0.25;
constexpr int patience = 3;
// Shares that differ by less are the same.
constexpr double same = 0.01;

struct Loop {
    Shedding& s;
    std::span<const LoadedSite> sites;
    const LoadSettings& settings;
    Instant now;

    double mark() const { return *settings.shed_above; }
    Duration lag() const { return std::max(s.lag, settings.lag); }

    /// The use of the least used of the others that could take something over.
    std::optional<double> least_used_besides(EndpointIndex e) const {
        std::optional<double> use;
        for (EndpointIndex o = 0; o < sites.size(); ++o)
            if (o != e && sites[o].fit && sites[o].use)
                use = std::min(use.value_or(*sites[o].use), *sites[o].use);
        return use;
    }

    /// The limit that `e` should have: at the watermark, or as full as the emptiest of the others.
    double wanted(EndpointIndex e) const {
        const LoadedSite& site = sites[e];
        const double limit = s.limits[e];
        if (!site.fit || !site.use) return limit;
        const double use = *site.use;
        if (use > mark() && site.share == 0) return limit; // it is not our doing
        if (use > mark()) {
            const auto other = least_used_besides(e);
            if (!other || *other > band * use) return limit; // nobody has room for it
            const double aim = std::max(middle * mark(), *other);
            if (aim >= use) return limit;
            return std::max(least,
                            std::min(limit, site.share) * std::max(most_down, std::pow(aim / use, gain)));
        }
        if (limit == 1 || use >= band * mark()) return limit;
        if (limit > site.share + same) return 1; // it holds nothing back any more
        const double more = use > 0 ? std::pow(middle * mark() / use, gain) : most_up;
        return std::min(1.0, limit * std::min(most_up, more));
    }

    /// Sites that are fit have room for everybody together, however little each of them should get.
    void stretch(std::vector<double>& limits) const {
        double room = 0;
        for (EndpointIndex e = 0; e < sites.size(); ++e) room += sites[e].fit ? limits[e] : 0;
        if (room >= 1 || room == 0) return;
        for (EndpointIndex e = 0; e < sites.size(); ++e)
            if (sites[e].fit) limits[e] = std::min(1.0, limits[e] / room);
    }

    /// Notes how long it took until the last act was seen in the load.
    void measure() {
        if (!s.awaited) return;
        const LoadedSite& site = sites[s.awaited->endpoint];
        if (!site.use || *site.use <= 0) return;
        const double done = std::log(*site.use / s.awaited->use) / std::log(s.awaited->factor);
        if (done < seen_part) return;
        const Duration took = now - *s.acted;
        s.lag = took > s.lag ? took : (s.lag + took) / 2;
        s.awaited.reset();
    }

    /// Shares that others have moved (a site that left or returned, an operator) are news to the load as
    /// well.
    void note_shares() {
        std::vector<double> shares;
        for (const LoadedSite& site : sites) shares.push_back(site.share);
        bool moved = false;
        for (std::size_t i = 0; i < shares.size() && s.shares.size() == shares.size(); ++i)
            moved |= std::abs(shares[i] - s.shares[i]) > same;
        s.shares = std::move(shares);
        if (!moved) return;
        s.acted = now;
        s.awaited.reset();
    }

    std::optional<Instant> wait() const {
        if (!s.acted) return std::nullopt;
        const Instant earliest = *s.acted + lag(), latest = *s.acted + patience * lag();
        if (now < earliest) return earliest;
        if (s.awaited && now < latest) return latest;
        return std::nullopt;
    }

    void act(const std::vector<double>& limits, ShedStep& step) {
        Shedding::Awaited most{.factor = 1};
        for (EndpointIndex e = 0; e < sites.size(); ++e) {
            if (limits[e] == s.limits[e]) continue;
            step.moved.push_back(e);
            if (!sites[e].use || *sites[e].use <= 0 || sites[e].share <= 0) continue;
            const double factor = limits[e] / std::min(s.limits[e], sites[e].share);
            if (std::abs(std::log(factor)) > std::abs(std::log(most.factor)))
                most = {e, *sites[e].use, factor};
        }
        s.limits = limits;
        if (step.moved.empty()) return;
        s.acted = now;
        s.shares.clear(); // what they come to by this act is no news
        s.awaited.reset();
        if (most.factor < 1) s.awaited = most; // how soon load comes back depends on who comes
    }
};

} // namespace

ShedStep shed(Shedding& s, std::span<const LoadedSite> sites, const LoadSettings& settings, Instant now) {
    s.limits.resize(sites.size(), 1);
    if (!settings.shed_above) return {};
    Loop loop{s, sites, settings, now};
    loop.note_shares();
    loop.measure();
    ShedStep step{.due = loop.wait()};
    if (step.due) return step;
    std::vector<double> limits;
    for (EndpointIndex e = 0; e < sites.size(); ++e) limits.push_back(loop.wanted(e));
    loop.stretch(limits);
    for (double& l : limits) l = std::round(l * 1000) / 1000; // as people are told
    loop.act(limits, step);
    if (!step.moved.empty()) step.due = loop.wait();
    return step;
}

bool nowhere_to_go(std::span<const LoadedSite> sites, const LoadSettings& settings) {
    if (!settings.shed_above) return false;
    bool above = false;
    for (const LoadedSite& site : sites) {
        if (!site.fit) continue;
        if (!site.use || *site.use <= *settings.shed_above) return false;
        above = true;
    }
    return above;
}

std::vector<double> within_limits(std::span<const double> wanted, std::span<const double> limits,
                                  bool in_turn) {
    const std::size_t n = wanted.size();
    std::vector<double> got(wanted.begin(), wanted.end());
    double room = 0;
    for (std::size_t i = 0; i < n; ++i) room += wanted[i] > 0 ? limits[i] : 0;
    if (room <= 1) { // all are at their limits, stretched
        for (std::size_t i = 0; i < n; ++i) got[i] = wanted[i] > 0 && room > 0 ? limits[i] / room : wanted[i];
        return got;
    }
    if (in_turn) {
        double excess = 0;
        for (std::size_t k = 0; k < 2 * n; ++k) { // twice round: what the last has over goes to the first
            const std::size_t i = k % n;
            if (wanted[i] == 0) continue;
            const double has = got[i] + excess;
            got[i] = std::min(has, limits[i]);
            excess = has - got[i];
        }
        return got;
    }
    for (std::size_t round = 0; round < n; ++round) { // each fills up at least one
        double excess = 0, open = 0;
        for (std::size_t i = 0; i < n; ++i) {
            if (got[i] > limits[i]) excess += got[i] - limits[i], got[i] = limits[i];
            if (got[i] < limits[i]) open += wanted[i];
        }
        if (excess < 1e-12 || open == 0) break;
        for (std::size_t i = 0; i < n; ++i)
            if (got[i] < limits[i]) got[i] += excess * wanted[i] / open;
    }
    return got;
}

} // namespace fairway::policies
