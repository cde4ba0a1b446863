// DNS cookies (RFC 7873) as every server makes them (RFC 9018): proof that a client really is where its
// address says, without any memory of it.
//
// A server cookie is version 1, three octets of zero, the time, and SipHash-2-4 over the client's cookie,
// these, and the client's address, keyed with a secret that all servers of a name share.
#pragma once

#include "config/model.hpp"
#include "dns/wire.hpp"

namespace fairway::dns {

inline constexpr std::size_t client_cookie_size = 8, cookie_size = 24;

/// The option of a query.
struct Cookie {
    std::uint8_t length = 0;         ///< as sent; 0: there is none
    std::uint8_t bytes[cookie_size]; ///< what is beyond these is no server cookie of RFC 9018

    /// False: FORMERR. A client's 8 octets, and 8 to 32 of a server if any (RFC 7873 section 4).
    bool read(Bytes option) noexcept;
};

/// What a query's cookie is worth.
enum class CookieState : std::uint8_t {
    none,   ///< there is none, or we use none
    client, ///< the client's alone: a first contact
    bad,    ///< not ours, too old, or of another client
    good
};

struct CookieCheck {
    CookieState state = CookieState::none;
    std::uint8_t reply[cookie_size]; ///< what the answer carries, unless the state is none
};

/// `now` is Unix time in seconds.
CookieCheck check_cookie(const CookieSettings& settings, const Cookie& cookie, const IpAddress& client,
                         std::uint32_t now) noexcept;

} // namespace fairway::dns
