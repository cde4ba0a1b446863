#include "policies/brake.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

std::vector<bool> braked(std::span<const std::optional<Instant>> out_since, std::size_t count,
                         const Brake& brake, Instant now) {
    std::vector<std::size_t> recent;
    for (std::size_t i = 0; i < out_since.size(); ++i)
        if (out_since[i] && now - *out_since[i] < brake.within) recent.push_back(i);
    // Who went first is out; of those that went together, the earlier in the configuration.
    std::ranges::stable_sort(recent, {}, [&](std::size_t i) { return *out_since[i]; });

    // The small addend undoes what binary fractions lose: 29 % of 100 is 29.
    auto allowed = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::floor(double(count) * brake.max_share + 1e-9)));
    std::vector<bool> result(out_since.size(), false);
    for (std::size_t k = allowed; k < recent.size(); ++k) result[recent[k]] = true;
    return result;
}

std::vector<bool> kept(std::span<const std::optional<Instant>> out_since, std::size_t count,
                       std::size_t least) {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < out_since.size(); ++i)
        if (out_since[i]) out.push_back(i);
    std::ranges::stable_sort(out, {}, [&](std::size_t i) { return *out_since[i]; });
    std::vector<bool> result(out_since.size(), false);
    const std::size_t allowed = count > least ? count - least : 1;
    for (std::size_t k = allowed; k < out.size(); ++k) result[out[k]] = true;
    return result;
}

std::optional<Instant> brake_due(std::span<const std::optional<Instant>> out_since, const Brake& brake,
                                 Instant now) {
    std::optional<Instant> due;
    for (auto& since : out_since)
        if (since && now - *since < brake.within)
            due = std::min(due.value_or(Instant::max()), *since + brake.within);
    return due;
}

} // namespace fairway::policies
