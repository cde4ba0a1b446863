// A question put to a snapshot without a network: what explain shows is what the packet path answers.
#pragma once

#include "dns/answer.hpp"

#include <cstdint>
#include <vector>

namespace fairway::dns {

/// The whole answer, as over TCP, to a client that asks by itself; `random` draws where the answer is a draw.
std::vector<std::uint8_t> ask(const Snapshot& snapshot, const Name& name, std::uint16_t type,
                              const IpAddress& client, Random& random);

} // namespace fairway::dns
