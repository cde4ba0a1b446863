#include "probes/glue/socket.hpp"

#include "probes/async/race.hpp"
#include "probes/async/wait.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fairway::probes {

namespace {

Socket open(const SocketAddress& to, int type) {
    const int family = to.ip.family == Family::v4 ? AF_INET : AF_INET6;
    return Socket(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

/// Connecting a datagram socket sends nothing; it only asks the routing table.
bool routed(const SocketAddress& to) {
    const Socket s = open(to, SOCK_DGRAM);
    const RawAddress address = raw(to);
    return !s || ::connect(s.fd(), address.get(), address.size) == 0 || errno != ENETUNREACH;
}

/// So that no firewall on the way forgets an idle connection.
void keep_alive(int fd) {
    const int on = 1, idle = keep_alive_after;
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
}

/// Reads to the other side's end, or to an error, which is an end too. A peer that talks on and on is read a
/// piece a turn of the loop; the time limit is the caller's.
Task<void> drain(Loop& loop, int fd) {
    std::array<char, 4096> sink;
    for (;;) {
        co_await Ready(loop, fd, Loop::readable);
        const ssize_t n = recv(fd, sink.data(), sink.size(), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) co_return;
    }
}

} // namespace

RawAddress raw(const SocketAddress& a) {
    RawAddress r;
    if (a.ip.family == Family::v4) {
        sockaddr_in in{};
        in.sin_family = AF_INET;
        in.sin_port = htons(a.port);
        std::memcpy(&in.sin_addr, a.ip.bytes.data(), 4);
        std::memcpy(&r.storage, &in, r.size = sizeof in);
    } else {
        sockaddr_in6 in{};
        in.sin6_family = AF_INET6;
        in.sin6_port = htons(a.port);
        std::memcpy(&in.sin6_addr, a.ip.bytes.data(), 16);
        std::memcpy(&r.storage, &in, r.size = sizeof in);
    }
    return r;
}

std::optional<IpAddress> address_in(const RawAddress& a) {
    IpAddress ip;
    if (a.storage.ss_family == AF_INET) {
        ip.family = Family::v4;
        std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in&>(a.storage).sin_addr, 4);
    } else if (a.storage.ss_family == AF_INET6) {
        ip.family = Family::v6;
        std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(a.storage).sin6_addr, 16);
    } else {
        return std::nullopt;
    }
    return ip;
}

bool was_reset(int fd) {
    tcp_info info{};
    socklen_t size = sizeof info;
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_state == TCP_CLOSE;
}

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Socket::~Socket() {
    if (fd_ >= 0) ::close(fd_);
}

namespace {

/// A socket that comes from there, or the errno.
Connection prepared(const SocketAddress& to, int type, const std::optional<IpAddress>& from) {
    Connection c;
    c.socket = open(to, type);
    if (!c.socket) c.error = errno;
    if (!c.socket || !from) return c;
    const RawAddress source = raw({*from, 0});
    if (bind(c.socket.fd(), source.get(), source.size) != 0) c.error = errno;
    return c;
}

} // namespace

namespace {

Task<Connection> connect_directly(Loop& loop, SocketAddress to, std::optional<IpAddress> from) {
    Connection c = prepared(to, SOCK_STREAM, from);
    if (c.error != 0) co_return c;
    const RawAddress address = raw(to);
    if (::connect(c.socket.fd(), address.get(), address.size) == 0) co_return c;
    c.error = errno;
    if (c.error == EINPROGRESS) {
        co_await Ready(loop, c.socket.fd(), Loop::writable);
        c.error = pending_error(c.socket.fd());
    }
    if (c.error != 0) c.socket = Socket();
    co_return c;
}

/// The head of an answer, to its empty line; shorter if it ends or fails. One octet a time: what comes behind
/// it is the target's.
Task<std::string> read_head(Loop& loop, int fd) {
    constexpr std::size_t longest = 8192;
    std::string head;
    while (head.size() < longest && !head.ends_with("\r\n\r\n")) {
        char octet = 0;
        const ssize_t n = recv(fd, &octet, 1, 0);
        if (n == 1) head += octet;
        else if (n < 0 && errno == EAGAIN) co_await Ready(loop, fd, Loop::readable);
        else if (n == 0 || errno != EINTR) break;
    }
    co_return head;
}

/// The status of an HTTP answer; 0 if it is none.
int status_of(const std::string& head) {
    const bool http = head.starts_with("HTTP/1.") && head.size() > 12 && head[8] == ' ';
    int status = 0;
    const auto [end, error] = std::from_chars(head.data() + 9, head.data() + 12, status);
    return http && error == std::errc() && end == head.data() + 12 ? status : 0;
}

/// 5xx: the proxy is well, and nobody answers it (squid says 503, tinyproxy 500). All else it refuses by
/// itself.
void refused_by_proxy(Connection& c, const SocketAddress& proxy, int status) {
    c.socket = Socket();
    c.proxy_failed = status < 500 || status > 599;
    c.proxy_says = "the proxy " + proxy.to_string() +
                   (status ? " says " + std::to_string(status) : " does not speak HTTP");
}

Task<Connection> connect_by_proxy(Loop& loop, SocketAddress to, SocketAddress proxy,
                                  std::optional<IpAddress> from) {
    Task<Connection> connecting = connect_directly(loop, proxy, from);
    Connection c = co_await connecting;
    if (c.error != 0) {
        c.proxy_says = "the proxy " + proxy.to_string() + ": " + std::strerror(std::exchange(c.error, 0));
        c.proxy_failed = true;
        co_return c;
    }
    const std::string where = to.to_string();
    const std::string request = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n\r\n";
    const bool sent = send(c.socket.fd(), request.data(), request.size(), MSG_NOSIGNAL) ==
                      static_cast<ssize_t>(request.size()); // a fresh connection takes as much at once
    Task<std::string> reading = read_head(loop, c.socket.fd());
    const std::string head = co_await reading;
    const int status = sent ? status_of(head) : 0;
    if (status < 200 || status > 299 || !head.ends_with("\r\n\r\n")) refused_by_proxy(c, proxy, status);
    co_return c;
}

} // namespace

Task<Connection> connect(Loop& loop, SocketAddress to, Route route) {
    if (route.proxy) return connect_by_proxy(loop, to, *route.proxy, route.source);
    return connect_directly(loop, to, route.source);
}

Reason Connection::reason(const SocketAddress& to) const {
    if (proxy_says.empty()) return reason_of_errno(error, to);
    return proxy_failed ? Reason::no_route : Reason::unreachable;
}

std::string Connection::text() const { return proxy_says.empty() ? std::strerror(error) : proxy_says; }

Connection connect_datagram(const SocketAddress& to, std::optional<IpAddress> from) {
    Connection c = prepared(to, SOCK_DGRAM, from);
    const RawAddress address = raw(to);
    if (c.error == 0 && ::connect(c.socket.fd(), address.get(), address.size) != 0) c.error = errno;
    return c;
}

std::optional<IpAddress> source_for(const IpAddress& to, const std::vector<IpAddress>& sources) {
    for (const IpAddress& s : sources)
        if (s.family == to.family) return s;
    return std::nullopt;
}

Task<void> hold_open(Loop& loop, SocketAddress to, Route route, Duration limit) {
    Task<Connection> connecting = connect(loop, to, route);
    Task<std::optional<Connection>> limited = with_timeout(loop, limit, std::move(connecting));
    const std::optional<Connection> c = co_await limited;
    if (!c || !c->stands()) co_return;
    keep_alive(c->socket.fd());
    Task<void> rest = drain(loop, c->socket.fd());
    co_await rest;
}

Reason reason_of_errno(int error, const SocketAddress& to) {
    switch (error) {
    case ECONNREFUSED: return Reason::refused;
    case ECONNRESET:
    case EPIPE: return Reason::reset;
    case ETIMEDOUT: return Reason::timeout_connect;
    case ENETUNREACH: return routed(to) ? Reason::unreachable : Reason::no_route;
    case ENETDOWN: return Reason::no_route; // our own interface
    case EHOSTUNREACH:
    case EHOSTDOWN: return Reason::unreachable;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL: // no port left to connect from
    case EAGAIN: return Reason::local_limit;
    default: return Reason::internal; // EACCES, EPERM: a filter of this machine's; EINVAL: ours
    }
}

} // namespace fairway::probes
