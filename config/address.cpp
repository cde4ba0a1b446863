#include "config/address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace fairway {
namespace {

/// Decimal digits only, no sign, no needless zero in front.
std::optional<unsigned> parse_number(std::string_view text, unsigned most) {
    unsigned n = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n > most) return std::nullopt;
    if (text.size() > 1 && text.front() == '0') return std::nullopt;
    return n;
}

/// The mask of octet `i` in a prefix of `length` bits.
std::uint8_t mask(std::size_t i, unsigned length) {
    const unsigned before = static_cast<unsigned>(i) * 8;
    if (length >= before + 8) return 0xff;
    if (length <= before) return 0;
    return static_cast<std::uint8_t>(0xff << (before + 8 - length));
}

} // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
    if (text.find('\0') != text.npos) return std::nullopt; // inet_pton would stop there
    const std::string z(text);
    IpAddress a;
    a.family = text.find(':') == text.npos ? Family::v4 : Family::v6;
    if (inet_pton(a.family == Family::v4 ? AF_INET : AF_INET6, z.c_str(), a.bytes.data()) != 1)
        return std::nullopt;
    return a;
}

bool IpAddress::unspecified() const {
    return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

std::string IpAddress::to_string() const {
    char out[INET6_ADDRSTRLEN];
    return inet_ntop(family == Family::v4 ? AF_INET : AF_INET6, bytes.data(), out, sizeof out);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    auto ip = IpAddress::parse(host);
    auto port = parse_number(text.substr(colon + 1), 65535);
    if (!ip || !port || bracketed != (ip->family == Family::v6)) return std::nullopt;
    return SocketAddress{*ip, static_cast<std::uint16_t>(*port)};
}

std::string SocketAddress::to_string() const {
    const std::string host = ip.to_string();
    return (ip.family == Family::v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == text.npos) return std::nullopt;
    auto address = IpAddress::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    auto length = parse_number(text.substr(slash + 1), address->bits());
    if (!length) return std::nullopt;
    for (std::size_t i = 0; i < address->size(); ++i)
        if (address->bytes[i] & ~mask(i, *length)) return std::nullopt;
    return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

bool Prefix::contains(const IpAddress& a) const {
    if (a.family != address.family) return false;
    for (std::size_t i = 0; i * 8 < length; ++i)
        if ((a.bytes[i] ^ address.bytes[i]) & mask(i, length)) return false;
    return true;
}

std::string Prefix::to_string() const { return address.to_string() + '/' + std::to_string(length); }

} // namespace fairway
