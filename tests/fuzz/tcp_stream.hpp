// What must hold of any octets sent to our TCP port: what comes back are whole messages, each an answer to
// one of the queries that were sent whole, and then the connection ends.
#pragma once

#include "tests/fuzz/query_world.hpp"

namespace fairway::dns::testing {

/// A message with its length before it (RFC 1035 section 4.2.2).
void append_framed(Packet& stream, const Packet& message);

/// Sends `stream` over a connection of its own to a front on loopback that serves fuzz_world(); aborts where
/// it does not hold. Returns how many answers came.
std::size_t check_tcp_stream(Bytes stream);

} // namespace fairway::dns::testing
