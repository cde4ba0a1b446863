// What a snapshot serves, name by name and in the order of RFC 4034 section 6.1, for people who look at a
// zone.
//
// Looks at every name there is and sorts those below the one asked for, so not on the control thread.
#pragma once

#include "dns/answer.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace fairway::dns {

struct ListedName {
    enum class Kind : std::uint8_t {
        records,   ///< the same for everybody
        service,   ///< its addresses are decided; other records may stand beside them
        delegated, ///< below it others answer
        hidden,    ///< below a delegation or a DNAME: glue, which only comes along with a referral
        empty      ///< no records, but names below it
    };
    Name name;
    Kind kind;
    std::vector<std::vector<std::uint8_t>> messages; ///< a DNS message for each of its record sets
};

struct ZoneListing {
    std::vector<ListedName> names;
    bool more = false; ///< there are names behind the last one
};

/// The names at and below `top` that come after `after`, `limit` at most. Of a service, what `client` is
/// answered now, a draw of those there may be.
ZoneListing list_names(const Snapshot& snapshot, const Name& top, const std::optional<Name>& after,
                       std::size_t limit, const IpAddress& client, Random& random);

/// The apexes, in order.
std::vector<Name> list_zones(const Snapshot& snapshot);

} // namespace fairway::dns
