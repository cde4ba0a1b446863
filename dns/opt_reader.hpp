// Reading a query's OPT record (RFC 6891): inline, because query.cpp alone does it, once or never a packet.
//
// A new option is a field of Edns or EdnsOptions and a case here; where it is answered, also a field of
// MoreOptions.
#pragma once

#include "dns/edns.hpp"

namespace fairway::dns {

// RFC 7871 section 6: no octet too few or too many, no bit set beyond the prefix, scope 0 in a query.
[[gnu::always_inline]] inline bool read_client_subnet(Bytes option, Edns& edns,
                                                      ClientSubnet& subnet) noexcept {
    if (option.size() < 4 || edns.subnet || option[3] != 0) return false;
    const std::uint8_t* const body = option.data();
    const unsigned family = get16(body), source = body[2];
    const std::size_t octets = option.size() - 4;
    if (octets != (source + 7u) / 8) return false;
    edns.subnet = true;
    subnet.as_sent = load64(body - 4);
    subnet.source = static_cast<std::uint8_t>(source);
    subnet.address.family = Family::v4;
    std::memset(subnet.address.bytes.data(), 0, 16);
    if (family == 1) {
        if (source > 32) return false;
        // Eight octets that end with the address: its own are shifted down and the rest out.
        const std::uint64_t address = load64(body + 4 + octets - 8) >> 8 * (7 - octets) >> 8;
        std::memcpy(subnet.address.bytes.data(), &address, sizeof address);
        return (get32(subnet.address.bytes.data()) & 0xffff'ffffull >> source) == 0;
    }
    if (family != 2 || source > 128) return family == 0 && source == 0;
    subnet.address.family = Family::v6;
    std::memcpy(subnet.address.bytes.data(), body + 4, octets);
    return source % 8 == 0 || (option.back() & (0xff >> source % 8)) == 0;
}

[[gnu::always_inline]] inline bool read_options(const std::uint8_t* at, const std::uint8_t* end, Edns& edns,
                                                EdnsOptions& options) noexcept {
    while (at != end) {
        if (end - at < 4) return false;
        const unsigned code = get16(at), length = get16(at + 2);
        at += 4;
        if (static_cast<std::size_t>(end - at) < length) return false;
        const Bytes body{at, length};
        switch (code) {
        case option_nsid: edns.nsid = true; break;
        case option_client_subnet:
            if (!read_client_subnet(body, edns, options.subnet)) return false;
            break;
        case option_cookie: // only the first counts (RFC 7873 section 5.2)
            if (!edns.cookie && !options.cookie.read(body)) return false;
            edns.cookie = true;
            break;
        case option_keepalive: edns.keepalive = true; break;
        }
        at += length;
    }
    return true;
}

/// The OPT record whose type is at `record`, checked to lie within the message. False: FORMERR.
[[gnu::always_inline]] inline bool read_opt(const std::uint8_t* record, Edns& edns,
                                            EdnsOptions& options) noexcept {
    edns.present = true;
    edns.payload = get16(record + 2);
    edns.version = record[5];
    edns.dnssec_ok = record[6] & opt_do;
    if (edns.version != 0) return true; // it may mean other options
    const std::uint8_t* const first = record + 10;
    return read_options(first, first + get16(record + 8), edns, options);
}

} // namespace fairway::dns
