#include "dns/edns.hpp"

namespace fairway::dns {
namespace {

std::uint8_t* write_option(std::uint8_t* at, std::uint16_t code, Bytes body) noexcept {
    put16(at, code);
    put16(at + 2, body.size());
    std::memcpy(at + 4, body.data(), body.size());
    return at + 4 + body.size();
}

} // namespace

std::size_t MoreOptions::size() const noexcept {
    std::size_t size = 0;
    if (!nsid.empty()) size += 4 + nsid.size();
    if (!cookie.empty()) size += 4 + cookie.size();
    if (keepalive) size += 4 + 2;
    return size;
}

std::size_t MoreOptions::append(std::uint8_t* opt, std::size_t size) const noexcept {
    std::uint8_t* at = opt + size;
    if (!nsid.empty()) at = write_option(at, option_nsid, nsid);
    if (!cookie.empty()) at = write_option(at, option_cookie, cookie);
    if (keepalive) {
        std::uint8_t timeout[2];
        put16(timeout, keepalive);
        at = write_option(at, option_keepalive, timeout);
    }
    size = static_cast<std::size_t>(at - opt);
    put16(opt + opt_fixed - 2, size - opt_fixed);
    return size;
}

} // namespace fairway::dns
