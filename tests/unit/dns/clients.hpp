// Test helper: clients of a running front, over real sockets. Whatever does not come within `patience` fails
// the test.
#pragma once

#include "dns/sockets.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>

namespace fairway::dns::testing {

/// What a loaded machine may need; nothing waits that long when all is well.
inline constexpr int patience_ms = 20'000;

/// `room`: what the client's kernel may hold of what it has not read yet; 0: as usual.
inline Socket connected(const SocketAddress& to, int type, const char* from = nullptr, int room = 0) {
    sockaddr_storage a;
    socklen_t length = to_sockaddr(to, a);
    Socket s(socket(a.ss_family, type, 0));
    if (room) setsockopt(s.fd(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (from) {
        sockaddr_storage own;
        const socklen_t own_length = to_sockaddr({*IpAddress::parse(from), 0}, own);
        REQUIRE(bind(s.fd(), reinterpret_cast<sockaddr*>(&own), own_length) == 0);
    }
    REQUIRE(connect(s.fd(), reinterpret_cast<sockaddr*>(&a), length) == 0);
    return s;
}

inline bool readable(const Socket& s, int ms = patience_ms) {
    pollfd p{s.fd(), POLLIN, 0};
    return poll(&p, 1, ms) == 1;
}

inline Packet over_udp(const Socket& s, const Packet& query) {
    REQUIRE(send(s.fd(), query.data(), query.size(), 0) == static_cast<ssize_t>(query.size()));
    REQUIRE(readable(s));
    Packet reply(max_message);
    reply.resize(static_cast<std::size_t>(recv(s.fd(), reply.data(), reply.size(), 0)));
    return reply;
}

/// With the length before it, as over TCP.
inline Packet framed(const Packet& query) {
    Packet out(2 + query.size());
    put16(out.data(), query.size());
    std::ranges::copy(query, out.begin() + 2);
    return out;
}

inline void send_all(const Socket& s, const Packet& bytes) {
    REQUIRE(send(s.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}

/// Exactly so many octets, or fewer if the other side ended.
inline Packet receive(const Socket& s, std::size_t size) {
    Packet in(size);
    std::size_t got = 0;
    while (got < size) {
        REQUIRE(readable(s));
        const auto n = recv(s.fd(), in.data() + got, size - got, 0);
        if (n <= 0) break;
        got += static_cast<std::size_t>(n);
    }
    in.resize(got);
    return in;
}

inline bool ended(const Socket& s) { return receive(s, 1).empty(); }

/// One message over TCP; empty if the other side ended.
inline Packet receive_message(const Socket& s) {
    const auto prefix = receive(s, 2);
    return prefix.size() == 2 ? receive(s, get16(prefix.data())) : Packet{};
}

} // namespace fairway::dns::testing
