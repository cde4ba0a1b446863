// What a snapshot serves, name by name and in the order of RFC 4034 section 6.1, for people who look at a
// zone.
#pragma once

#include "dns/answer.hpp"

#include <cstdint>
#include <optional>
#include <span>
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

/// The names of a static part in order, each known by its place alone: eight octets a name. Immutable, for
/// any thread, as long as its static part lives. Made once a configuration: a tenth of a second for 100,000
/// names, so not on the control thread.
class NameOrder {
  public:
    explicit NameOrder(const StaticPart& of);

    const std::vector<Name>& zones() const { return zones_; } ///< the apexes

    /// The names at and below `top` that come after `after`.
    std::span<const Node* const> behind(const Name& top, const std::optional<Name>& after) const;

  private:
    std::vector<const Node*> names_;
    std::vector<Name> zones_;
};

/// The first `limit` of `order.behind(top, after)`; the order is of the snapshot's static part. Of a service,
/// what `client` is answered now, a draw of those there may be.
ZoneListing list_names(const Snapshot& snapshot, const NameOrder& order, const Name& top,
                       const std::optional<Name>& after, std::size_t limit, const IpAddress& client,
                       Random& random);

} // namespace fairway::dns
