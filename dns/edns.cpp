#include "dns/edns.hpp"

namespace fairway::dns {
namespace {

constexpr std::uint16_t option_nsid = 3, option_client_subnet = 8, option_cookie = 10, option_keepalive = 11;
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
        switch (code) {
        case option_nsid: edns.nsid = true; break;
        case option_client_subnet:
            if (!read_client_subnet(body, edns.subnet)) return false;
            break;
        case option_cookie: // only the first counts (RFC 7873 section 5.2)
            if (edns.cookie.length == 0 && !edns.cookie.read(body)) return false;
            break;
        case option_keepalive: edns.keepalive = true; break;
        }
        options = options.subspan(4u + length);
    }
    return true;
}

std::size_t subnet_octets(const ClientSubnet& s) { return (s.source + 7u) / 8; }

std::uint8_t* write_subnet(std::uint8_t* at, const ClientSubnet& subnet, unsigned scope) noexcept {
    const std::size_t octets = subnet_octets(subnet);
    put16(at, option_client_subnet);
    put16(at + 2, 4 + octets);
    put16(at + 4, subnet.family);
    at[6] = subnet.source;
    at[7] = static_cast<std::uint8_t>(scope);
    std::memcpy(at + 8, subnet.address.bytes.data(), octets);
    return at + 8 + octets;
}

std::uint8_t* write_option(std::uint8_t* at, std::uint16_t code, Bytes body) noexcept {
    put16(at, code);
    put16(at + 2, body.size());
    std::memcpy(at + 4, body.data(), body.size());
    return at + 4 + body.size();
}

} // namespace

bool read_opt(const std::uint8_t* fixed, Bytes options, Edns& edns) noexcept {
    edns.present = true;
    edns.payload = get16(fixed);
    edns.version = fixed[3];
    edns.dnssec_ok = fixed[4] & do_bit;
    return edns.version != 0 || read_options(options, edns); // another version may mean other options
}

std::size_t opt_size(const Edns& query, const OptReply& reply) noexcept {
    if (!reply.present) return 0;
    std::size_t size = fixed_size;
    if (reply.subnet) size += 8 + subnet_octets(query.subnet);
    if (!reply.nsid.empty()) size += 4 + reply.nsid.size();
    if (!reply.cookie.empty()) size += 4 + reply.cookie.size();
    if (reply.keepalive) size += 4 + 2;
    return size;
}

std::uint8_t* write_opt(std::uint8_t* out, const Edns& query, const OptReply& reply, Rcode rcode,
                        unsigned scope) noexcept {
    if (!reply.present) return out;
    out[0] = 0;
    put16(out + 1, 41);
    put16(out + 3, max_udp);
    out[5] = static_cast<std::uint8_t>(static_cast<unsigned>(rcode) >> 4);
    out[6] = 0; // the version we speak
    out[7] = query.dnssec_ok ? do_bit : 0;
    out[8] = 0;
    std::uint8_t* at = out + fixed_size;
    if (reply.subnet) at = write_subnet(at, query.subnet, scope);
    if (!reply.nsid.empty()) at = write_option(at, option_nsid, reply.nsid);
    if (!reply.cookie.empty()) at = write_option(at, option_cookie, reply.cookie);
    if (reply.keepalive) {
        std::uint8_t timeout[2];
        put16(timeout, reply.keepalive);
        at = write_option(at, option_keepalive, timeout);
    }
    put16(out + 9, static_cast<std::size_t>(at - out) - fixed_size);
    return at;
}

} // namespace fairway::dns
