// One look as the worker does it, and what it saw.
#pragma once

#include "probes/checks/check.hpp"
#include "tests/unit/probes/fault_server.hpp"

#include <doctest/doctest.h>

#include <vector>

namespace fairway::testing {

/// At 127.0.0.1, asking for shop.test. Connections still saying goodbye are waited for.
Observation once(CheckKind kind, std::uint16_t port, Duration timeout = 5s);
/// So many looks, one after the other, at `address`.
std::vector<Observation> looks(const Check& check, const SocketAddress& address, std::size_t count);

/// At a server that does this.
Observation against(CheckKind kind, FaultServer::Serve serve, Duration timeout = 5s);

constexpr Duration soon = 300ms; // a timeout that is meant to be reached

} // namespace fairway::testing

#define CHECK_SEEN(observation, expected_outcome, expected_reason)                                           \
    do {                                                                                                     \
        const fairway::Observation seen_ = (observation);                                                    \
        INFO(seen_.detail);                                                                                  \
        CHECK(to_string(seen_.outcome) == to_string(fairway::Outcome::expected_outcome));                    \
        CHECK(to_string(seen_.reason) == to_string(fairway::Reason::expected_reason));                       \
    } while (false)
