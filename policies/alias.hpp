// Alias: a name of somebody else's whose addresses an endpoint answers as its own (L3, L6).
//
// probes/ asks for the name and tells what it saw; what of that is answered is decided here. Addresses are
// the endpoint's like any others: looked at, withdrawn and taken back one by one. What the name no longer has
// is answered until something that it does have has passed; a failing resolution takes nothing away.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fairway::policies {

/// Of one name, those it has and those it had: each is looked at, and a name server far away says how many.
constexpr std::size_t most_alias_addresses = 64;
/// A TTL below is not believed: the name is asked for at most so often.
constexpr Duration alias_ttl_floor = 5s;

struct Alias {
    std::vector<IpAddress> found;    ///< what the name has, as far as is known; sorted
    std::vector<IpAddress> vanished; ///< what it no longer has and is still answered; sorted
    Duration ttl = alias_ttl_floor;
    Instant resolved{};   ///< when it last was; before that, since when it has been tried
    std::string error;    ///< of the latest try; empty: it went well
    bool failing = false; ///< not resolved for ten times its TTL

    std::vector<IpAddress> addresses() const; ///< the endpoint's; sorted
};

/// Takes in what was seen. True: addresses() has changed.
bool resolve(Alias& a, const NameObservation& seen);

/// Lets go of what has vanished, a family at a time: once an address of the same family that was found
/// `passes`, or any that was found where the name has none of that family. True: addresses() has changed.
bool let_go(Alias& a, const std::function<bool(const IpAddress&)>& passes);

/// When it will be failing, if nothing is resolved until then.
Instant fails_at(const Alias& a);

} // namespace fairway::policies
