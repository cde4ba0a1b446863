#include "dns/sockets.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace fairway::dns {
namespace {

// Room for some 5,000 queries while a worker is not scheduled. Beyond net.core.rmem_max only root may go.
constexpr int receive_buffer = 4 << 20;

void set(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

std::string advice(int error, std::uint16_t port) {
    switch (error) {
    case EADDRINUSE:
        return "address in use: another program serves port " + std::to_string(port) +
               " there; stop it or give another address under dns.listen";
    case EACCES: return "permission denied: a port below 1024 needs root or CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL: return "no such address on this machine";
    default: return std::strerror(error);
    }
}

Opened failed(const SocketAddress& address, const char* transport) {
    const int error = errno;
    return {Socket(), address.to_string() + " (" + transport + "): " + advice(error, address.port), error};
}

// No path MTU discovery: a forged "fragmentation needed" must not make us send fragments (RFC 9715).
void never_fragment(int fd, Family family) {
    if (family == Family::v4) set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
    else set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
}

Opened open_bound(const SocketAddress& address, int type, int reuse, const char* transport) {
    const int family = address.ip.family == Family::v4 ? AF_INET : AF_INET6;
    Socket socket(::socket(family, type | SOCK_CLOEXEC, 0));
    if (!socket) return failed(address, transport);
    set(socket.fd(), SOL_SOCKET, reuse, 1);
    if (family == AF_INET6) set(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
    sockaddr_storage to;
    const socklen_t length = to_sockaddr(address, to);
    if (bind(socket.fd(), reinterpret_cast<sockaddr*>(&to), length)) return failed(address, transport);
    return {std::move(socket), {}, 0};
}

bool link_local(const IpAddress& a) {
    return a.family == Family::v6 && a.bytes[0] == 0xfe && (a.bytes[1] & 0xc0) == 0x80;
}

} // namespace

Socket::~Socket() {
    if (fd_ >= 0) close(fd_);
}

Opened open_udp(const SocketAddress& address) {
    Opened opened = open_bound(address, SOCK_DGRAM, SO_REUSEPORT, "UDP");
    if (!opened.socket) return opened;
    tune_udp(opened.socket, address.ip.family);
    return opened;
}

void tune_udp(const Socket& socket, Family family) {
    const int fd = socket.fd(), size = receive_buffer;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)) set(fd, SOL_SOCKET, SO_RCVBUF, size);
    never_fragment(fd, family);
}

Socket another(const Socket& socket) { return Socket(fcntl(socket.fd(), F_DUPFD_CLOEXEC, 0)); }

std::vector<Socket> GivenSockets::take(const SocketAddress& address, int type) {
    std::vector<Socket> found;
    for (auto& s : sockets_) {
        int its_type = 0;
        socklen_t length = sizeof its_type;
        getsockopt(s.fd(), SOL_SOCKET, SO_TYPE, &its_type, &length);
        if (its_type == type && bound_address(s) == address) found.push_back(std::move(s));
    }
    std::erase_if(sockets_, [](const Socket& s) { return !s; });
    return found;
}

Opened open_tcp(const SocketAddress& address) {
    return open_bound(address, SOCK_STREAM | SOCK_NONBLOCK, SO_REUSEADDR, "TCP");
}

SocketAddress bound_address(const Socket& socket) {
    sockaddr_storage a{};
    socklen_t length = sizeof a;
    getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&a), &length);
    return from_sockaddr(reinterpret_cast<const sockaddr*>(&a));
}

std::vector<SocketAddress> expand(const SocketAddress& address) {
    if (!address.ip.unspecified()) return {address};
    ifaddrs* list = nullptr;
    if (getifaddrs(&list)) return {address};
    const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, freeifaddrs);
    std::vector<SocketAddress> found;
    for (const ifaddrs* i = list; i; i = i->ifa_next) {
        if (!i->ifa_addr || (i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6))
            continue;
        SocketAddress a = from_sockaddr(i->ifa_addr);
        a.port = address.port;
        if (a.ip.family == address.ip.family && !link_local(a.ip)) found.push_back(a);
    }
    return found;
}

socklen_t to_sockaddr(const SocketAddress& address, sockaddr_storage& out) {
    std::memset(&out, 0, sizeof out);
    if (address.ip.family == Family::v4) {
        auto* const a = reinterpret_cast<sockaddr_in*>(&out);
        a->sin_family = AF_INET;
        a->sin_port = htons(address.port);
        std::memcpy(&a->sin_addr, address.ip.bytes.data(), 4);
        return sizeof *a;
    }
    auto* const a = reinterpret_cast<sockaddr_in6*>(&out);
    a->sin6_family = AF_INET6;
    a->sin6_port = htons(address.port);
    std::memcpy(&a->sin6_addr, address.ip.bytes.data(), 16);
    return sizeof *a;
}

SocketAddress from_sockaddr(const sockaddr* address) {
    SocketAddress out;
    if (address->sa_family == AF_INET) {
        const auto* const a = reinterpret_cast<const sockaddr_in*>(address);
        std::memcpy(out.ip.bytes.data(), &a->sin_addr, 4);
        out.port = ntohs(a->sin_port);
    } else {
        const auto* const a = reinterpret_cast<const sockaddr_in6*>(address);
        out.ip.family = Family::v6;
        std::memcpy(out.ip.bytes.data(), &a->sin6_addr, 16);
        out.port = ntohs(a->sin6_port);
    }
    return out;
}

} // namespace fairway::dns
