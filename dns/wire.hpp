// The DNS message on the wire (RFC 1035 section 4): where things lie in it and how its numbers are read.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace fairway::dns {

static_assert(std::endian::native == std::endian::little,
              "names are folded and hashed as little-endian words");

using Bytes = std::span<const std::uint8_t>;

inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t max_name = 255; ///< octets, RFC 1035 section 2.3.4
inline constexpr std::size_t max_label = 63;
inline constexpr std::size_t max_message = 65535; ///< what TCP's length prefix can say
inline constexpr std::size_t plain_udp = 512;     ///< RFC 1035 section 2.3.4, without EDNS
/// Our own limit over UDP: 1280 (IPv6 minimum MTU) less the IPv6 and UDP headers. RFC 9715.
inline constexpr std::size_t max_udp = 1232;
inline constexpr std::uint16_t pointer_mark = 0xc000; ///< RFC 1035 section 4.1.4
inline constexpr std::size_t max_pointer = 0x3fff;
inline constexpr std::uint16_t class_in = 1, class_chaos = 3;

/// Response codes; those above 15 are told in the OPT record (RFC 6891).
enum class Rcode : std::uint16_t {
    noerror = 0,
    formerr = 1,
    servfail = 2,
    nxdomain = 3,
    notimp = 4,
    refused = 5,
    yxdomain = 6,
    badvers = 16,
    badcookie = 23 // RFC 7873
};

/// Bits of the header's second 16-bit word.
namespace flag {
inline constexpr std::uint16_t qr = 0x8000, opcode = 0x7800, aa = 0x0400, tc = 0x0200, rd = 0x0100;
}

inline std::uint16_t get16(const std::uint8_t* p) {
    std::uint16_t v;
    std::memcpy(&v, p, 2);
    return __builtin_bswap16(v);
}
inline std::uint32_t get32(const std::uint8_t* p) {
    std::uint32_t v;
    std::memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}
inline void put16(std::uint8_t* p, std::size_t v) {
    const std::uint16_t be = __builtin_bswap16(static_cast<std::uint16_t>(v));
    std::memcpy(p, &be, 2);
}
inline void put32(std::uint8_t* p, std::uint32_t v) {
    v = __builtin_bswap32(v);
    std::memcpy(p, &v, 4);
}
inline std::uint64_t load64(const std::uint8_t* p) {
    std::uint64_t v;
    std::memcpy(&v, p, 8);
    return v;
}

/// How far beyond its end a copy_wide() may read, and write.
inline constexpr std::size_t copy_slack = 15;

/// Copies in steps of sixteen: for a few dozen octets sooner done than asking how many they are.
inline void copy_wide(std::uint8_t* to, const std::uint8_t* from, std::size_t n) noexcept {
    for (std::size_t i = 0; i < n; i += 16) std::memcpy(to + i, from + i, 16);
}

} // namespace fairway::dns
