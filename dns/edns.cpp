#include "dns/edns.hpp"

namespace fairway::dns {
namespace {

constexpr std::uint16_t option_nsid = 3, option_client_subnet = 8;
constexpr std::size_t fixed_size = 11; // root name 1, type 2, class 2, TTL 4, length 2
constexpr std::uint8_t do_bit = 0x80;

// RFC 7871 section 6: no octet too few or too many, no bit set beyond the prefix, scope 0 in a query.
bool read_client_subnet(Bytes option, ClientSubnet& subnet) noexcept {
    if (option.size() < 4 || subnet.present) return false;
    subnet.family = get16(option.data());
    subnet.source = option[2];
    const Bytes address = option.subspan(4);
    if (option[3] != 0 || subnet.family > 2) return false;
    const unsigned bits = subnet.family == 1 ? 32 : subnet.family == 2 ? 128 : 0;
    if (subnet.source > bits || address.size() != (subnet.source + 7u) / 8) return false;
    if (subnet.source % 8 && address.back() & (0xff >> (subnet.source % 8))) return false;
    subnet.present = true;
    subnet.address = IpAddress{subnet.family == 2 ? Family::v6 : Family::v4, {}};
    if (!address.empty()) std::memcpy(subnet.address.bytes.data(), address.data(), address.size());
    return true;
}

bool read_options(Bytes options, Edns& edns) noexcept {
    while (!options.empty()) {
        if (options.size() < 4) return false;
        const std::uint16_t code = get16(options.data()), length = get16(options.data() + 2);
        if (options.size() < 4u + length) return false;
        const Bytes body = options.subspan(4, length);
        if (code == option_nsid) edns.nsid = true;
        else if (code == option_client_subnet && !read_client_subnet(body, edns.subnet)) return false;
        options = options.subspan(4u + length);
    }
    return true;
}

std::size_t subnet_octets(const ClientSubnet& s) { return (s.source + 7u) / 8; }

} // namespace

bool read_opt(const std::uint8_t* fixed, Bytes options, Edns& edns) noexcept {
    edns.present = true;
    edns.payload = get16(fixed);
    edns.version = fixed[3];
    edns.dnssec_ok = fixed[4] & do_bit;
    return edns.version != 0 || read_options(options, edns); // another version may mean other options
}

std::size_t opt_size(const Edns& query, Bytes nsid) noexcept {
    if (!query.present) return 0;
    std::size_t size = fixed_size;
    if (query.subnet.present) size += 8 + subnet_octets(query.subnet);
    if (query.nsid && !nsid.empty()) size += 4 + nsid.size();
    return size;
}

std::uint8_t* write_opt(std::uint8_t* out, const Edns& query, Bytes nsid, Rcode rcode,
                        unsigned scope) noexcept {
    if (!query.present) return out;
    out[0] = 0;
    put16(out + 1, 41);
    put16(out + 3, max_udp);
    out[5] = static_cast<std::uint8_t>(static_cast<unsigned>(rcode) >> 4);
    out[6] = 0; // the version we speak
    out[7] = query.dnssec_ok ? do_bit : 0;
    out[8] = 0;
    std::uint8_t* at = out + fixed_size;
    if (query.subnet.present) {
        const std::size_t octets = subnet_octets(query.subnet);
        put16(at, option_client_subnet);
        put16(at + 2, 4 + octets);
        put16(at + 4, query.subnet.family);
        at[6] = query.subnet.source;
        at[7] = static_cast<std::uint8_t>(scope);
        std::memcpy(at + 8, query.subnet.address.bytes.data(), octets);
        at += 8 + octets;
    }
    if (query.nsid && !nsid.empty()) {
        put16(at, option_nsid);
        put16(at + 2, nsid.size());
        std::memcpy(at + 4, nsid.data(), nsid.size());
        at += 4 + nsid.size();
    }
    put16(out + 9, static_cast<std::size_t>(at - out) - fixed_size);
    return at;
}

} // namespace fairway::dns
