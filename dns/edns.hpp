// EDNS (RFC 6891): what a query's OPT record asks for, and the OPT record of the answer.
#pragma once

#include "dns/cookies.hpp"

namespace fairway::dns {

inline constexpr std::uint16_t opt_type = 41;
inline constexpr std::size_t opt_fixed = 11; ///< root name 1, type 2, class 2, TTL 4, length 2
inline constexpr std::uint8_t opt_do = 0x80; ///< in the third octet of the TTL
inline constexpr std::uint16_t option_nsid = 3, option_client_subnet = 8, option_cookie = 10,
                               option_keepalive = 11;

/// What a query's OPT record says, in few octets: they are reset for each query.
struct Edns {
    bool present = false;
    bool dnssec_ok = false; ///< copied back (RFC 3225 section 3)
    bool nsid = false;      ///< RFC 5001
    bool keepalive = false; ///< RFC 7828; without meaning over UDP
    bool subnet = false;    ///< there is an EdnsOptions::subnet
    bool cookie = false;    ///< there is an EdnsOptions::cookie
    std::uint8_t version = 0;
    std::uint16_t payload = 0; ///< what the client says it can take

    bool more() const noexcept { return nsid | keepalive | cookie; } ///< options but for the subnet
};

/// RFC 7871. `source` 0 asks that the client's network be left out of it.
struct ClientSubnet {
    std::uint64_t as_sent; ///< the option's code, length, family and prefix lengths; the scope comes last
    IpAddress address;     ///< zero beyond `source`
    std::uint8_t source;   ///< prefix length

    std::size_t octets() const { return (source + 7u) / 8; } ///< of the address that are sent
};

/// Options with content. Set only where Edns says so.
struct EdnsOptions {
    ClientSubnet subnet;
    Cookie cookie;
};

/// Octets of an answer's OPT record as far as it echoes the query's: of the fixed part and of the subnet.
inline std::size_t opt_size(const EdnsOptions& query, bool subnet) noexcept {
    return opt_fixed + (subnet ? 8 + query.subnet.octets() : 0);
}

/// Writes it to `out`, which has room for it. `scope`: the prefix length the answer really depends on.
inline std::size_t write_opt(std::span<std::uint8_t> out, const Edns& edns, const EdnsOptions& query,
                             bool subnet, Rcode rcode, unsigned scope) noexcept {
    std::uint8_t* const opt = out.data();
    const std::size_t size = opt_size(query, subnet);
    opt[0] = 0; // the root
    put16(opt + 1, opt_type);
    put16(opt + 3, max_udp);
    opt[5] = static_cast<std::uint8_t>(static_cast<unsigned>(rcode) >> 4);
    opt[6] = 0; // the version we speak
    opt[7] = edns.dnssec_ok ? opt_do : 0;
    opt[8] = 0;
    put16(opt + 9, size - opt_fixed);
    if (!subnet) return size;
    const std::uint64_t head = query.subnet.as_sent | static_cast<std::uint64_t>(scope) << 56;
    std::memcpy(opt + opt_fixed, &head, sizeof head);
    // All sixteen octets of an address are sooner written than a number of them.
    const std::uint8_t* const address = query.subnet.address.bytes.data();
    if (out.size() >= opt_fixed + 8 + 16) std::memcpy(opt + opt_fixed + 8, address, 16);
    else std::memcpy(opt + opt_fixed + 8, address, query.subnet.octets());
    return size;
}

/// The options of an answer that few have.
struct MoreOptions {
    Bytes nsid;                  ///< empty: not told
    Bytes cookie;                ///< client's and server's; empty: none
    std::uint16_t keepalive = 0; ///< how long a connection may be idle, in 100 ms; 0: not told

    std::size_t size() const noexcept;
    /// Appends them to the record of `size` octets at `opt`. Its new size.
    std::size_t append(std::uint8_t* opt, std::size_t size) const noexcept;
};

} // namespace fairway::dns
