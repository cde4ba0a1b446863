// A query, read once and checked whole (RFC 1035 section 4, RFC 9619): everything answer() needs of it.
#pragma once

#include "dns/edns.hpp"
#include "dns/folded_name.hpp"

namespace fairway::dns {

struct Node;

/// Left uninitialised by its owner; read_query() sets what it says it has read. What most queries need comes
/// first, in one cache line with a name of some twenty octets.
struct alignas(64) Query {
    /// Of our names; of the server itself (class CH); or of nothing: no question, a cookie (RFC 7873 5.4).
    enum class Asks : std::uint8_t { names, server, cookie };

    std::uint16_t flags; ///< as sent
    std::uint16_t type;
    std::uint16_t question_end; ///< offset after the question; 12 where none could be read
    Rcode rcode; ///< not noerror: the answer is this and nothing else, unless it asks for no names
    Asks asks;
    Edns edns;
    bool sought;        ///< prefetch_nodes() has set ...
    const Node* likely; ///< ... this: the name's node, or another's of like hash; null: there is none
    FoldedName name;    ///< set if question_end > 12
    EdnsOptions options;
};

/// False where only silence is right: less than a header, or itself a response.
bool read_query(Bytes message, Query& query) noexcept;

} // namespace fairway::dns
