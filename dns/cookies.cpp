#include "dns/cookies.hpp"

#include "dns/siphash.hpp"

namespace fairway::dns {
namespace {

constexpr std::size_t max_cookie = 40; // RFC 7873 section 4: a server's part has up to 32 octets
constexpr std::uint8_t version = 1;
// Where the parts of a server cookie lie in the option (RFC 9018 section 4).
constexpr std::size_t version_at = 8, reserved_at = 9, time_at = 12, hash_at = 16;
// RFC 9018 section 4.3: believed for an hour, and from clocks five minutes ahead; renewed after half an hour.
constexpr std::int32_t oldest = 3600, newest = -300, renewed = 1800;

std::uint64_t hash_of(const CookieSettings::Secret& secret, const std::uint8_t* cookie,
                      const IpAddress& client) noexcept {
    std::uint8_t input[hash_at + 16];
    const std::size_t address = client.family == Family::v4 ? 4 : 16;
    std::memcpy(input, cookie, hash_at);
    std::memcpy(input + hash_at, client.bytes.data(), address);
    return siphash(secret, {input, hash_at + address});
}

// Octet by octet alike in time, whichever differs.
bool made_with(const CookieSettings::Secret& secret, const Cookie& cookie, const IpAddress& client) noexcept {
    return (hash_of(secret, cookie.bytes, client) ^ load64(cookie.bytes + hash_at)) == 0;
}

void make(const CookieSettings::Secret& secret, const IpAddress& client, std::uint32_t now,
          std::uint8_t* cookie) noexcept {
    cookie[version_at] = version;
    std::memset(cookie + reserved_at, 0, time_at - reserved_at);
    put32(cookie + time_at, now);
    const std::uint64_t hash = hash_of(secret, cookie, client);
    std::memcpy(cookie + hash_at, &hash, sizeof hash);
}

} // namespace

bool Cookie::read(Bytes option) noexcept {
    const bool client = option.size() == client_cookie_size;
    if (!client && (option.size() < 2 * client_cookie_size || option.size() > max_cookie)) return false;
    length = static_cast<std::uint8_t>(option.size());
    std::memcpy(bytes, option.data(), client ? client_cookie_size : std::min(option.size(), cookie_size));
    return true;
}

CookieCheck check_cookie(const CookieSettings& settings, const Cookie& cookie, const IpAddress& client,
                         std::uint32_t now) noexcept {
    CookieCheck check;
    if (cookie.length == 0 || settings.secrets.empty()) return check;
    check.state = cookie.length == client_cookie_size ? CookieState::client : CookieState::bad;
    std::memcpy(check.reply, cookie.bytes, client_cookie_size);
    if (cookie.length == cookie_size && cookie.bytes[version_at] == version) {
        // Serial number arithmetic (RFC 1982): the clock may wrap.
        const auto age = static_cast<std::int32_t>(now - get32(cookie.bytes + time_at));
        const bool timely = age <= oldest && age >= newest;
        for (std::size_t i = 0; timely && i < settings.secrets.size(); ++i) {
            if (!made_with(settings.secrets[i], cookie, client)) continue;
            check.state = CookieState::good;
            if (i != 0 || age > renewed) break;
            std::memcpy(check.reply, cookie.bytes, cookie_size); // young enough to be kept
            return check;
        }
    }
    make(settings.secrets.front(), client, now, check.reply);
    return check;
}

} // namespace fairway::dns
