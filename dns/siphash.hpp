// SipHash-2-4 (Aumasson and Bernstein, 2012): the keyed hash of server cookies and of tables an attacker
// would fill.
//
// Our own because OpenSSL's allocates for each message, which the packet path must not.
#pragma once

#include "dns/wire.hpp"

#include <array>

namespace fairway::dns {

using SipKey = std::array<std::uint8_t, 16>;

/// The eight octets of the reference implementation, the first in the lowest bits.
std::uint64_t siphash(const SipKey& key, Bytes message) noexcept;

} // namespace fairway::dns
