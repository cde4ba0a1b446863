// A TCP connection, and what its failure says about the target or about ourselves.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <optional>
#include <string>
#include <sys/socket.h>
#include <utility>
#include <vector>

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

/// An address as the system's calls take it.
struct RawAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;
    const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};
RawAddress raw(const SocketAddress& a);
std::optional<IpAddress> address_in(const RawAddress& a); ///< nothing: of another kind

/// Whether the other side has torn the connection down; one that has ended in order has not been. For
/// libraries that tell the one as the other; asking takes nothing away.
bool was_reset(int fd);

int pending_error(int fd); ///< the errno a socket has in store, which this takes out

/// Seconds of idleness after which a held connection stirs: firewalls forget the quietest after some minutes.
constexpr int keep_alive_after = 60;

/// How a target is reached, where it is not simply as routed.
struct Route {
    std::optional<IpAddress> source{};    ///< the address of ours to come from
    std::optional<SocketAddress> proxy{}; ///< an HTTP proxy that is asked to CONNECT (RFC 9110 section 9.3.6)
};

/// A connected socket (non-blocking, close-on-exec) or what it failed with.
struct Connection {
    Socket socket;
    int error = 0;             ///< errno
    std::string proxy_says{};  ///< why a proxy made no connection; `error` is then 0
    bool proxy_failed = false; ///< it was the proxy that could not be used: a fault on our side
    bool stands() const { return error == 0 && proxy_says.empty(); }
    Reason reason(const SocketAddress& to) const; ///< of one that does not stand
    std::string text() const;
};
Task<Connection> connect(Loop& loop, SocketAddress to, Route route = {});

/// The same for datagrams: nothing is sent yet.
Connection connect_datagram(const SocketAddress& to, std::optional<IpAddress> from = std::nullopt);

/// Of the addresses to come from, the one that can reach there.
std::optional<IpAddress> source_for(const IpAddress& to, const std::vector<IpAddress>& sources);

/// Connects and reads, whatever comes, until the other side's end or an error; also if it cannot connect
/// within `limit`. Destroying the task closes the connection.
Task<void> hold_open(Loop& loop, SocketAddress to, Route route, Duration limit);

/// What an errno of connecting to `to` or of talking to it means. ENETUNREACH is our own fault if the kernel
/// has no route at all to there, as when the interface or the default route is gone (L3); else somebody afar
/// said it.
Reason reason_of_errno(int error, const SocketAddress& to);

} // namespace fairway::probes
