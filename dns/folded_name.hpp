// A name ready to be looked up: in lower case, with the hash of the whole of it.
//
// Folding and hashing go by blocks of sixteen octets. Length octets (at most 63) lie below 'A', so a whole
// wire name can be folded without regard to its labels; and because wire names end themselves, two names
// whose zero-padded blocks are equal are equal.
#pragma once

#include "dns/random.hpp"
#include "dns/wire.hpp"

namespace fairway::dns {

/// Sixteen octets in one register.
using Block [[gnu::vector_size(16)]] = std::uint8_t;
inline constexpr std::size_t block_size = sizeof(Block);

inline Block load_block(const std::uint8_t* p) noexcept {
    Block b;
    std::memcpy(&b, p, sizeof b);
    return b;
}
inline void store_block(std::uint8_t* p, Block b) noexcept { std::memcpy(p, &b, sizeof b); }

/// ASCII upper case to lower case.
inline Block fold(Block b) noexcept { return b | (reinterpret_cast<Block>(Block(b - 'A') < 26) & 0x20); }

/// One step of the name hash, of sixteen octets: the 128-bit product, folded (the constant is 2^64 over the
/// golden ratio).
inline std::uint64_t mix(std::uint64_t hash, std::uint64_t low, std::uint64_t high = 0) noexcept {
    const uint128 product = static_cast<uint128>(hash ^ low) * (high ^ 0x9e3779b97f4a7c15);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}
inline std::uint64_t mix(std::uint64_t hash, Block b) noexcept {
    std::uint64_t words[2];
    std::memcpy(words, &b, sizeof words);
    return mix(hash, words[0], words[1]);
}
inline constexpr std::uint64_t hash_start = 0x51ed270b35ae1f9d; ///< any odd-looking number does

/// Of a lower-case wire name after which at least fifteen octets may be read and are zero.
inline std::uint64_t hash_padded(const std::uint8_t* name, std::size_t length) noexcept {
    std::uint64_t h = hash_start;
    for (std::size_t i = 0; i < length; i += block_size) h = mix(h, load_block(name + i));
    return h;
}

/// Storage for one name, padded with zeros so that blocks may be read past its end.
struct FoldedName {
    std::uint64_t hash;
    std::uint8_t length; ///< octets, the root label included
    alignas(8) std::uint8_t bytes[max_name + 1 + block_size];

    Bytes wire() const { return {bytes, length}; }

    unsigned labels() const noexcept; ///< the root is not counted

    /// The name is in `bytes` in whatever case, `length` is set: fold, pad, hash.
    void finish() noexcept {
        std::memset(bytes + length, 0, block_size);
        hash = hash_start;
        for (std::size_t i = 0; i < length; i += block_size) {
            const Block b = fold(load_block(bytes + i));
            store_block(bytes + i, b);
            hash = mix(hash, b);
        }
    }

    void assign(Bytes wire) noexcept; ///< of a well-formed wire name

    /// The name at `at` in a message, its pointers followed; false where it is not one.
    bool expand(Bytes message, std::size_t at) noexcept;
};

/// Octets of the uncompressed name at the start of `wire`; 0 if there is none.
std::size_t name_length(Bytes wire) noexcept;

} // namespace fairway::dns
