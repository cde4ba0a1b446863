// What the tests of kinds of check share: servers that say one thing.
#pragma once

#include "tests/unit/probes/once.hpp"

namespace fairway::testing {

inline const SocketAddress nowhere{IpAddress::parse("127.0.0.1").value(), 9};

inline SocketAddress at_loopback(std::uint16_t port) { return {IpAddress::parse("127.0.0.1").value(), port}; }

inline Check check_of(CheckKind kind) {
    Check c;
    c.name = "once";
    c.kind = std::move(kind);
    c.timing.timeout = 5s;
    return c;
}

inline FaultServer::Serve body(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
        p.ended();
    };
}

inline FaultServer::Serve line(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.write(text);
        p.half_close();
    };
}

} // namespace fairway::testing
