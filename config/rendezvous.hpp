// Rendezvous hashing: which of several takes a client, such that each client keeps its own whoever else comes
// or goes. Pure; the packet path and `explain` count alike.
#pragma once

#include "config/address.hpp"

#include <cmath>
#include <string_view>

namespace fairway {

/// Clients of one such network are taken for one: no more is told of them by resolvers (RFC 7871
/// section 11.1).
inline constexpr unsigned sticky_bits_v4 = 24, sticky_bits_v6 = 56;
inline unsigned sticky_bits(Family f) noexcept { return f == Family::v4 ? sticky_bits_v4 : sticky_bits_v6; }

/// Spreads every bit over all (the finalizer of splitmix64).
inline std::uint64_t spread_bits(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
}

/// What is hashed of a client: its network.
inline std::uint64_t sticky_network(const IpAddress& client) noexcept {
    std::uint64_t bits = static_cast<std::uint64_t>(client.family);
    for (unsigned i = 0; i < sticky_bits(client.family) / 8; ++i) bits = bits << 8 | client.bytes[i];
    return spread_bits(bits);
}

/// What is hashed of who may take it: a name that lasts (FNV-1a).
inline std::uint64_t rendezvous_key(std::string_view name) noexcept {
    std::uint64_t key = 0xcbf29ce484222325;
    for (const char c : name) key = (key ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return key;
}

/// The least of these takes the client; each wins a share of the networks that is proportional to its weight.
inline double rendezvous_rank(std::uint64_t network, std::uint64_t key, std::uint32_t weight) noexcept {
    const auto drawn = spread_bits(network ^ spread_bits(key)) >> 11;
    const double uniform = (static_cast<double>(drawn) + 0.5) * 0x1p-53; // never 0, never 1
    return -std::log(uniform) / weight;
}

} // namespace fairway
