// Listening sockets of ours, handed to the HTTP servers, and who is at the other end of a Unix one.
#pragma once

#include "config/address.hpp"
#include "daemon/fd.hpp"
#include "dns/sockets.hpp"

#include <string>

namespace fairway::daemon {

/// Throws std::runtime_error with one sentence: "127.0.0.1:9553: Address already in use". One that is `given`
/// is taken in place of a new one.
Fd listen_tcp(const SocketAddress& address, dns::GivenSockets* given = nullptr);

/// A Unix socket of mode 0660, in a directory that is made (0755) if only that last one is missing. A stale
/// file is replaced only if nobody answers on it; anything else there is an error.
Fd listen_unix(const std::string& path);

/// The user at the other end of a Unix connection, by name; "uid 1234" if it has none.
std::string peer_user(int connection);

/// Where a TCP socket is bound: tells the port where 0 was asked for.
SocketAddress bound_address(const Fd& fd);

} // namespace fairway::daemon
