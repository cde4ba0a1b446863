#include "dns/alias_table.hpp"

#include "dns/random.hpp"

#include <numeric>

namespace fairway::dns {

std::vector<AliasColumn> make_alias_columns(std::span<const std::uint32_t> weights, std::uint64_t& total) {
    total = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    std::vector<AliasColumn> columns;
    for (std::uint32_t i = 0; i < weights.size(); ++i)
        if (weights[i] || total == 0) columns.push_back({weights[i], i, i});
    if (total == 0) {
        total = columns.size();
        for (auto& c : columns) c.threshold = 1;
    }
    // In units of 1 / (n * total) each column holds `total`; what a light one lacks, a heavy one gives it.
    std::vector<std::size_t> light, heavy;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].threshold *= columns.size();
        (columns[i].threshold < total ? light : heavy).push_back(i);
    }
    while (!light.empty() && !heavy.empty()) {
        AliasColumn& receiver = columns[light.back()];
        const std::size_t giver = heavy.back();
        light.pop_back();
        receiver.alias = columns[giver].self;
        columns[giver].threshold -= total - receiver.threshold;
        if (columns[giver].threshold >= total) continue;
        heavy.pop_back();
        light.push_back(giver);
    }
    return columns;
}

std::uint32_t draw(std::span<const AliasColumn> columns, std::uint64_t total, std::uint64_t random) noexcept {
    const uint128 scaled = static_cast<uint128>(random) * columns.size();
    const AliasColumn& column = columns[static_cast<std::size_t>(scaled >> 64)];
    const uint128 point = static_cast<uint128>(static_cast<std::uint64_t>(scaled)) * total;
    return static_cast<std::uint64_t>(point >> 64) < column.threshold ? column.self : column.alias;
}

} // namespace fairway::dns
