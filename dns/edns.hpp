// EDNS (RFC 6891): what a query's OPT record asks for, and the OPT record of the answer.
//
// A new option is a field here, a case in read_options() and, where it is answered, a field of OptReply and a
// line in write_opt().
#pragma once

#include "dns/cookies.hpp"

namespace fairway::dns {

/// RFC 7871. `source` 0 asks that the client's network be left out of it.
struct ClientSubnet {
    bool present = false;
    std::uint16_t family = 0; ///< as sent: 1, 2, or 0 with nothing after it
    std::uint8_t source = 0;  ///< prefix length
    IpAddress address;        ///< zero beyond `source`
};

struct Edns {
    bool present = false;
    bool dnssec_ok = false; ///< copied back (RFC 3225 section 3)
    bool nsid = false;      ///< RFC 5001
    bool keepalive = false; ///< RFC 7828; without meaning over UDP
    std::uint8_t version = 0;
    std::uint16_t payload = plain_udp; ///< what the client says it can take
    ClientSubnet subnet;
    Cookie cookie;
};

/// The OPT record whose fixed part (class, TTL, length) is at `fixed`, with its options. False: FORMERR.
bool read_opt(const std::uint8_t* fixed, Bytes options, Edns& edns) noexcept;

/// The OPT record of an answer, as far as it is not copied from the query's.
struct OptReply {
    bool present = false;        ///< only an answer to EDNS has it
    bool subnet = false;         ///< the client's network is told back, with the scope
    Bytes nsid;                  ///< empty: not told
    Bytes cookie;                ///< client's and server's; empty: none
    std::uint16_t keepalive = 0; ///< how long a connection may be idle, in 100 ms; 0: not told
};

/// How long it will be.
std::size_t opt_size(const Edns& query, const OptReply& reply) noexcept;

/// Writes it at `out` and says where it ends. `scope`: the prefix length the answer really depends on.
std::uint8_t* write_opt(std::uint8_t* out, const Edns& query, const OptReply& reply, Rcode rcode,
                        unsigned scope) noexcept;

} // namespace fairway::dns
