// Sockets the front listens on: opening, binding, saying what is wrong when that fails.
#pragma once

#include "config/address.hpp"

#include <sys/socket.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairway::dns {

/// Owns a descriptor.
class Socket {
  public:
    Socket() = default;
    explicit Socket(int fd) : fd_(fd) {}
    Socket(Socket&& o) noexcept : fd_(std::exchange(o.fd_, -1)) {}
    Socket& operator=(Socket&& o) noexcept {
        std::swap(fd_, o.fd_);
        return *this;
    }
    ~Socket();

    int fd() const { return fd_; }
    int release() { return std::exchange(fd_, -1); }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

/// A socket, or why there is none: "127.0.0.1:53 (UDP): address in use ...".
struct Opened {
    Socket socket;
    std::string problem;
    int error = 0; ///< errno
};
Opened open_udp(const SocketAddress& address);
Opened open_tcp(const SocketAddress& address); ///< bound, not yet listening

/// Sockets bound by somebody else: the process before this one, or the service manager. Whoever wants an
/// address asks here first.
class GivenSockets {
  public:
    void add(Socket socket) { sockets_.push_back(std::move(socket)); }
    /// All of this type (SOCK_DGRAM, SOCK_STREAM) at this address.
    std::vector<Socket> take(const SocketAddress& address, int type);
    std::vector<Socket> take_rest() { return std::exchange(sockets_, {}); } ///< what nobody wanted

  private:
    std::vector<Socket> sockets_;
};

/// Of UDP, on a socket of ours or a given one: room for queries that wait, and no fragments.
void tune_udp(const Socket& socket, Family family);
Socket another(const Socket& socket); ///< a second descriptor; none where there is no room for it

/// Where a socket is bound: tells the port where 0 was asked for.
SocketAddress bound_address(const Socket& socket);

/// 0.0.0.0 or [::] becomes each address of that family this machine has now, but for link-local ones; any
/// other address stays as it is.
std::vector<SocketAddress> expand(const SocketAddress& address);

socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& out);
SocketAddress from_sockaddr(const sockaddr* address);

} // namespace fairway::dns
