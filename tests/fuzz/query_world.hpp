// What the fuzzers ask: zones and services with everything that bends the algorithm, and queries to start
// from.
#pragma once

#include "tests/unit/dns/oracle.hpp"

namespace fairway::dns::testing {

SnapshotPtr fuzz_world(const RateLimitSettings& rate_limit = {}, std::uint64_t generation = 1);
std::vector<Packet> seed_queries();

/// Answers `query` over both transports and checks what must hold of any answer; aborts where it does not.
void check_answer(Bytes query, const Snapshot& snapshot);

} // namespace fairway::dns::testing
