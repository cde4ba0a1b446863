// Names in record data: which may be compressed (only those of RFC 1035's types, RFC 3597 section 4), and
// which are hosts whose addresses go with the answer.
#pragma once

#include "config/record.hpp"

#include <cstdint>

namespace fairway::dns {

/// `count` names follow the first `skip` octets.
struct CompressibleNames {
    std::uint8_t skip = 0;
    std::uint8_t count = 0;
};

inline CompressibleNames compressible_names(std::uint16_t type) noexcept {
    switch (type) {
    case rrtype::ns:
    case rrtype::cname:
    case rrtype::ptr: return {0, 1};
    case rrtype::mx: return {2, 1};
    case rrtype::soa: return {0, 2};
    default: return {};
    }
}

inline bool is_service_binding(std::uint16_t type) noexcept {
    return type == rrtype::svcb || type == rrtype::https;
}

/// RFC 1035 section 3.3, RFC 2782, RFC 9460 section 4.1.
inline bool names_host(std::uint16_t type) noexcept {
    return type == rrtype::ns || type == rrtype::mx || type == rrtype::srv || is_service_binding(type);
}

/// Octets before the host's name, of a type that has one.
inline std::size_t host_offset(std::uint16_t type) noexcept {
    if (type == rrtype::srv) return 6;
    return type == rrtype::ns ? 0 : 2;
}

} // namespace fairway::dns
