// A look through an HTTP proxy: what it says of the target, and what of the proxy.
#include "tests/unit/probes/once.hpp"

using namespace fairway;
using namespace fairway::testing;

namespace {

SocketAddress local(std::uint16_t port) { return {*IpAddress::parse("127.0.0.1"), port}; }

/// The target is none that could be reached: whatever is seen came through the proxy.
const SocketAddress target{*IpAddress::parse("192.0.2.1"), 8080};

Observation through(const CheckKind& kind, std::uint16_t proxy, Duration timeout = 5s) {
    Check check;
    check.name = "once";
    check.kind = kind;
    check.timing.timeout = timeout;
    check.proxy = local(proxy);
    return looks(check, target, 1).front();
}

Observation through(const CheckKind& kind, FaultServer::Serve serve, Duration timeout = 5s) {
    const FaultServer proxy(std::move(serve));
    return through(kind, proxy.port(), timeout);
}

/// A proxy that says this to the CONNECT and then is the target.
FaultServer::Serve saying(const std::string& head, const std::string& behind = "") {
    return [head, behind](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write(head + behind);
        p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.ended();
    };
}

} // namespace

TEST_CASE("proxy: it is asked for the target, and what stands behind it is looked at") {
    std::string asked;
    const Observation seen = through(HttpCheck{}, [&asked](Peer& p) {
        asked = p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n");
        asked += p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.ended();
    });
    CHECK_SEEN(seen, pass, ok);
    CHECK(asked.starts_with(
        "CONNECT 192.0.2.1:8080 HTTP/1.1\r\nHost: 192.0.2.1:8080\r\n\r\nGET / HTTP/1.1\r\n"));
    CHECK_SEEN(through(HttpCheck{}, saying("HTTP/1.0 200 OK\r\n\r\n")), pass, ok);
}

TEST_CASE("proxy: a target that speaks first is heard, whatever packet its words come in") {
    const TcpCheck greeted{{"", "220 ready"}};
    CHECK_SEEN(through(greeted, saying("HTTP/1.1 200 OK\r\n\r\n", "220 ready\r\n")), pass, ok);
    CHECK_SEEN(through(greeted,
                       [](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.write("HTTP/1.1 200 OK\r\n\r\n500 no\r\n");
                           p.finish();
                       }),
               fail, body_mismatch);
}

TEST_CASE(
    "proxy: that it reaches nobody is silence of the target; that it cannot be used is our own fault (L3)") {
    for (const char* status : {"500", "502", "503", "504"}) {
        const Observation seen =
            through(TcpCheck{}, saying("HTTP/1.1 " + std::string(status) + " no\r\n\r\n"));
        CHECK_SEEN(seen, fail, unreachable);
        CHECK(seen.detail.find(status) != std::string::npos);
    }
    for (const char* head : {"HTTP/1.1 407 who are you\r\n\r\n", "HTTP/1.1 403 no\r\n\r\n",
                             "SSH-2.0-x\r\n\r\n", "\r\n\r\n", "HTTP/1.1 20x OK\r\n\r\n", "HTTP/1.1"})
        CHECK_SEEN(through(TcpCheck{},
                           [head](Peer& p) {
                               p.read_until("\r\n\r\n");
                               p.write(head);
                               p.finish();
                           }),
                   unknown, no_route);
    CHECK_SEEN(through(TcpCheck{},
                       [](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.flood("X-Header: x\r\n", 100'000);
                       }),
               unknown, no_route);
    const DeadPort nobody(DeadPort::Kind::refusing);
    const Observation seen = through(HttpCheck{}, nobody.port());
    CHECK_SEEN(seen, unknown, no_route);
    CHECK(seen.detail.find("the proxy 127.0.0.1:") != std::string::npos);
    CHECK_SEEN(through(
                   TcpCheck{}, [](Peer& p) { p.ended(); }, soon),
               fail, timeout_connect);
}
