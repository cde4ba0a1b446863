// Drawing by weight in constant time (Walker's alias method, Vose's construction), in whole numbers, so that
// each weight's share is exact.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fairway::dns {

/// One of n equally likely columns: below `threshold`, of `total`, it means itself, else `alias`.
struct AliasColumn {
    std::uint64_t threshold;
    std::uint32_t alias;
    std::uint32_t self;
};

/// One column a weight that is not zero; if all are zero, all are drawn alike.
std::vector<AliasColumn> make_alias_columns(std::span<const std::uint32_t> weights, std::uint64_t& total);

/// `random` is uniform over 64 bits: its product with n gives the column and, what is left of it, the
/// threshold.
std::uint32_t draw(std::span<const AliasColumn> columns, std::uint64_t total, std::uint64_t random) noexcept;

} // namespace fairway::dns
