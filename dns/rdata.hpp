// Which record data holds names that may be compressed: only the types of RFC 1035 (RFC 3597 section 4).
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

} // namespace fairway::dns
