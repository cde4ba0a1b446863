// A name ready to be looked up: in lower case, with the hash of the whole of it.
//
// Folding and hashing go by words of eight octets. Length octets (at most 63) lie below 'A', so a whole
// wire name can be folded without regard to its labels; and because wire names end themselves, two names
// whose zero-padded words are equal are equal.
#pragma once

#include "dns/random.hpp"
#include "dns/wire.hpp"

namespace fairway::dns {

/// ASCII upper case to lower case in each of eight octets at once.
inline std::uint64_t fold(std::uint64_t w) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101, high = 0x80 * ones;
    const std::uint64_t low7 = w & ~high;
    const std::uint64_t from_a = low7 + (0x80 - 'A') * ones;
    const std::uint64_t after_z = low7 + (0x7f - 'Z') * ones;
    return w | (((from_a ^ after_z) & ~w & high) >> 2);
}

/// One step of the name hash: fold the 128-bit product (the multiplier is 2^64 over the golden ratio, odd).
inline std::uint64_t mix(std::uint64_t hash, std::uint64_t word) noexcept {
    const uint128 product = static_cast<uint128>(hash ^ word) * 0x9e3779b97f4a7c15;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}
inline constexpr std::uint64_t hash_start = 0x51ed270b35ae1f9d; ///< any odd-looking number does

/// Of a lower-case wire name after which at least eight octets may be read and are zero.
inline std::uint64_t hash_padded(const std::uint8_t* name, std::size_t length) noexcept {
    std::uint64_t h = hash_start;
    for (std::size_t i = 0; i < length; i += 8) h = mix(h, load64(name + i));
    return h;
}

/// Storage for one name, padded with zeros so that words may be read past its end.
struct FoldedName {
    alignas(8) std::uint8_t bytes[max_name + 17];
    std::uint64_t hash;
    std::uint8_t length; ///< octets, the root label included
    std::uint8_t labels; ///< the root is not counted

    Bytes wire() const { return {bytes, length}; }

    /// The name is in `bytes` in whatever case, `length` and `labels` are set: fold, pad, hash.
    void finish() noexcept {
        std::memset(bytes + length, 0, 16);
        hash = hash_start;
        for (std::size_t i = 0; i < length; i += 8) {
            const std::uint64_t w = fold(load64(bytes + i));
            std::memcpy(bytes + i, &w, 8);
            hash = mix(hash, w);
        }
    }

    void assign(Bytes wire) noexcept; ///< of a well-formed wire name

    /// The name at `at` in a message, its pointers followed; false where it is not one.
    bool expand(Bytes message, std::size_t at) noexcept;
};

/// Octets of the uncompressed name at the start of `wire`; 0 if there is none.
std::size_t name_length(Bytes wire) noexcept;

} // namespace fairway::dns
