// Addresses, socket addresses and prefixes of both families, as values.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fairway {

enum class Family : std::uint8_t { v4 = 4, v6 = 6 };

/// An IPv4 or IPv6 address. `bytes` holds 4 or 16 octets in network order, the rest is zero.
struct IpAddress {
    Family family = Family::v4;
    std::array<std::uint8_t, 16> bytes{};

    static std::optional<IpAddress> parse(std::string_view text); ///< numeric only, no scope, no brackets
    std::size_t size() const { return family == Family::v4 ? 4 : 16; }
    unsigned bits() const { return family == Family::v4 ? 32 : 128; }
    bool unspecified() const; ///< 0.0.0.0 or ::
    std::string to_string() const;
    auto operator<=>(const IpAddress&) const = default;
};

/// An address and a port. Text: "192.0.2.1:53", "[2001:db8::1]:53".
struct SocketAddress {
    IpAddress ip;
    std::uint16_t port = 0;

    static std::optional<SocketAddress> parse(std::string_view text); ///< the port is required
    std::string to_string() const;
    auto operator<=>(const SocketAddress&) const = default;
};

/// A network: an address whose bits beyond `length` are zero.
struct Prefix {
    IpAddress address;
    std::uint8_t length = 0;

    static std::optional<Prefix> parse(std::string_view text); ///< "203.0.113.0/24"; host bits set is an error
    bool contains(const IpAddress& a) const;
    std::string to_string() const;
    auto operator<=>(const Prefix&) const = default;
};

} // namespace fairway
