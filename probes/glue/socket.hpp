// A TCP connection, and what its failure says about the target or about ourselves.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <utility>

namespace fairway::probes {

/// Owns a descriptor; closed when destroyed.
class Socket {
  public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Socket& operator=(Socket&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Socket();
    int fd() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// Seconds of idleness after which a held connection stirs: firewalls forget the quietest after some minutes.
constexpr int keep_alive_after = 60;

/// A connected socket (non-blocking, close-on-exec) or the errno it failed with.
struct Connection {
    Socket socket;
    int error = 0;
};
Task<Connection> connect(Loop& loop, const SocketAddress& to);

/// Ends a connection in order: sends our end, reads theirs to its end (for at most a second), then closes.
/// A plain close would answer a late banner with a reset, which servers count as an aborted client.
Task<void> close_in_order(Loop& loop, Socket socket);

/// Connects and reads, whatever comes, until the other side's end or an error; also if it cannot connect
/// within `limit`. Destroying the task closes the connection.
Task<void> hold_open(Loop& loop, SocketAddress to, Duration limit);

/// What an errno of connecting to `to` or of talking to it means. ENETUNREACH is our own fault if the kernel
/// has no route at all to there, as when the interface or the default route is gone (L3); else somebody afar
/// said it.
Reason reason_of_errno(int error, const SocketAddress& to);

} // namespace fairway::probes
