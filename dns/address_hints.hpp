// Address hints of SVCB and HTTPS records (RFC 9460 section 7.3): where the host is a service, they name only
// what the service answers at that moment, so that nobody is led to an address that was withdrawn.
#pragma once

#include "dns/wire.hpp"

namespace fairway::dns {

/// Whether the record data has hints at all.
bool has_address_hints(Bytes rdata) noexcept;

/// Takes out of the hints in `rdata`, in place, every address that is in neither of the record sets `v4` and
/// `v6` (A and AAAA, owners a pointer each); a hint without any goes. How long the data is then; 0 if a hint
/// that is `mandatory` went, and with it the record's sense.
std::size_t keep_address_hints(std::span<std::uint8_t> rdata, Bytes v4, Bytes v6) noexcept;

} // namespace fairway::dns
