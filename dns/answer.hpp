// From a query's bytes to the answer's: pure, and nothing here allocates, locks or throws.
//
// What workers, fuzzers, drills and benchmarks call. The algorithm is RFC 1034 section 4.3.2 with RFC 2308,
// 4592, 6672, 8020, 8482 and 9471.
#pragma once

#include "dns/query.hpp"
#include "dns/snapshot.hpp"

namespace fairway::dns {

/// Who asks, and over what.
struct Client {
    enum class Transport : std::uint8_t { udp, tcp };
    IpAddress address;
    Transport transport = Transport::udp;
    std::uint16_t keepalive = 0; ///< of TCP: how long its connection may be idle, in 100 ms
    std::uint32_t now = 0;       ///< Unix time in seconds; cookies are dated
};

/// What became of a query, for the counters.
struct Reply {
    std::size_t size = 0; ///< of the answer; 0: silence
    Rcode rcode = Rcode::noerror;
    bool truncated = false;
    CookieState cookie = CookieState::none; ///< the query's
    bool limited = false;                   ///< by rate: slipped, or dropped if the size is 0
    RateLimitSettings::Class limited_as{};
};

/// The answer to `query`, written to `out`, which may be the query's own memory. 0: no answer is due. `out`
/// must hold 1,232 octets for UDP and 65,535 for TCP.
std::size_t answer(Bytes query, const Snapshot& snapshot, const Client& client, Random& random,
                   std::span<std::uint8_t> out) noexcept;

/// The same step by step, so that a batch of queries can be read, fetched into the cache and answered in
/// turn. First read_query() on each; then prefetch_names(), prefetch_nodes() and prefetch_services(), each on
/// all it returned true for and with one snapshot; then:
Reply answer(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
             Random& random, std::span<std::uint8_t> out) noexcept;

/// For a client beyond its rate: TC, or BADCOOKIE if it knows cookies, so that it may come back by TCP or
/// with one. May be called once answer() has overwritten the query.
Reply slip(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
           std::span<std::uint8_t> out) noexcept;

inline void prefetch_names(const Query& query, const Snapshot& snapshot) noexcept {
    if (query.rcode == Rcode::noerror) snapshot.fixed->names.prefetch_slot(query.name.hash);
}
inline void prefetch_nodes(Query& query, const Snapshot& snapshot) noexcept {
    if (query.rcode != Rcode::noerror) return;
    query.likely = snapshot.fixed->names.prefetch_node(query.name.hash);
    query.sought = true;
}
/// Of what a node leads to.
inline void prefetch_services(const Query& query, const Snapshot& snapshot) noexcept {
    if (query.rcode == Rcode::noerror && query.likely && query.likely->is(Node::service))
        snapshot.services[query.likely->service_index]->prefetch();
}

} // namespace fairway::dns
