#include "policies/selection.hpp"
#include "policies/shed.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace fairway::policies {

namespace {

using Weights = std::vector<double>; ///< by endpoint

/// The share of who cannot be answered goes to the next that can, in the service's order (lost_share: next).
void hand_on(Weights& weights, std::span<const Candidate> candidates) {
    const Weights all = weights;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (candidates[i].usable || all[i] == 0) continue;
        for (std::size_t step = 1; step < all.size(); ++step) {
            const std::size_t next = (i + step) % all.size();
            if (!candidates[next].usable || all[next] == 0) continue;
            weights[next] += all[i];
            break;
        }
    }
}

/// Who returned gets a part of its share, and the others what is left, in their proportion. Nobody waits
/// where no fit endpoint could carry the rest (L10).
void hold_back(Weights& weights, std::span<const Candidate> candidates) {
    double total = 0, rest = 0, held = 0;
    bool carried = false;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!candidates[i].usable) continue;
        total += weights[i];
        if (candidates[i].part < 1) held += candidates[i].part * weights[i];
        else rest += weights[i], carried |= candidates[i].fit && weights[i] > 0;
    }
    if (rest == total || !carried) return;
    for (std::size_t i = 0; i < weights.size(); ++i)
        weights[i] *= candidates[i].part < 1 ? candidates[i].part : (total - held) / rest;
}

/// In hundredths of the weight, rounded, and never to nothing: what is usable is answered. 0 of the weight
/// is.
double scaled(double weight, const Candidate& c) {
    return weight == 0 ? 0 : std::max(1.0, std::round(weight * c.share * (c.degraded ? 50 : 100)));
}

/// What is beyond an endpoint's limit goes to those with room; the share it has of all is its own, and what
/// `max_share` holds back is what it would take over from others.
void keep_limits(Weights& weights, const Weights& own, const Ground& g) {
    const double all = std::accumulate(own.begin(), own.end(), 0.0);
    Weights wanted, limits;
    double sum = 0;
    for (const Candidate& c : g.candidates) {
        wanted.push_back(c.usable ? weights[c.endpoint] : 0);
        limits.push_back(limit_of(c, all > 0 ? own[c.endpoint] / all : 0, g.service));
        sum += wanted.back();
    }
    bool beyond = false;
    for (std::size_t i = 0; i < wanted.size() && sum > 0; ++i)
        beyond |= (wanted[i] /= sum) > limits[i] + 1e-9;
    if (beyond) weights = within_limits(wanted, limits, g.service.lost_share == Service::LostShare::next);
}

} // namespace

void reduce(Pool& pool) {
    std::uint32_t divisor = 0;
    for (const Pool::Member& m : pool.members) divisor = std::gcd(divisor, m.weight);
    for (Pool::Member& m : pool.members) m.weight /= divisor;
}

Pool by_weight(Weights weights, const Ground& g) {
    const Weights own = weights;
    const bool as_configured = std::ranges::all_of(
        g.candidates, [](const Candidate& c) { return !c.usable || (c.share == 1 && !c.degraded); });
    for (std::size_t i = 0; i < weights.size() && !as_configured; ++i)
        weights[i] = scaled(weights[i], g.candidates[i]);
    if (g.service.lost_share == Service::LostShare::next) hand_on(weights, g.candidates);
    const Weights given = weights;
    hold_back(weights, g.candidates);
    keep_limits(weights, own, g);
    // Parts need digits: of a sum of 10^9 they are exact enough, and fit 32 bits.
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double digits = weights == given ? 1 : 1e9 / sum;
    Pool pool;
    for (const Candidate& c : g.candidates) {
        const double w = weights[c.endpoint];
        if (!c.usable || w == 0) continue;
        pool.members.push_back(
            {c.endpoint, static_cast<std::uint32_t>(std::max(1.0, std::round(w * digits)))});
    }
    if (!as_configured || digits != 1) reduce(pool);
    return pool;
}

Pool weighted(const std::vector<unsigned>& weights, const Ground& g) {
    Weights own;
    for (const Candidate& c : g.candidates) own.push_back(weights.empty() ? c.weight : weights[c.endpoint]);
    return by_weight(std::move(own), g);
}

Pool round_robin(const Ground& g) {
    Weights each;
    for (const Candidate& c : g.candidates) each.push_back(c.weight > 0 ? 1 : 0);
    return by_weight(std::move(each), g);
}

} // namespace fairway::policies
