// Server-sent events: who reads, how far, and who is dropped.
#include "daemon/events.hpp"
#include "daemon/sockets.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

using namespace fairway;
using namespace fairway::daemon;
using namespace std::chrono_literals;

namespace {

Fd connected_to(const SocketAddress& to) {
    Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in there{};
    there.sin_family = AF_INET;
    inet_pton(AF_INET, "127.0.0.1", &there.sin_addr);
    there.sin_port = htons(to.port);
    REQUIRE(connect(fd.get(), reinterpret_cast<sockaddr*>(&there), sizeof there) == 0);
    return fd;
}

HttpRequest from(std::string peer, std::string last = "") {
    HttpRequest r{.method = "GET", .path = "/v1/events"};
    r.peer = std::move(peer);
    if (!last.empty()) r.headers["last-event-id"] = std::move(last);
    return r;
}

}

TEST_CASE("a stream tells what happens from now on, with a sign of life when nothing does") {
    Events events(50ms);
    events.publish("transition", "{\"id\":1}");
    const auto stream = events.stream(from("192.0.2.1"));
    CHECK(stream.type == "text/event-stream");
    CHECK(stream.more() == "retry: 2000\n\n");
    CHECK(stream.more() == ": still here\n\n");
    events.publish("transition", "{\"id\":2}");
    events.publish("command", "{}");
    CHECK(stream.more() ==
          "id: 2\nevent: transition\ndata: {\"id\":2}\n\nid: 3\nevent: command\ndata: {}\n\n");
    events.close();
    CHECK(stream.more() == "");
    CHECK(events.stream(from("192.0.2.1")).status == 503);
}

TEST_CASE("who comes back goes on where it was, if that is still known") {
    Events events(10ms);
    for (int i = 1; i <= 3; ++i) events.publish("transition", std::to_string(i));
    const auto told = [&](const std::string& last) {
        const auto stream = events.stream(from("a", last));
        stream.more();
        return stream.more();
    };
    CHECK(told("2") == "id: 3\nevent: transition\ndata: 3\n\n");
    CHECK(told("3") == ": still here\n\n");
    CHECK(told("99") == ": still here\n\n"); // of another life of the daemon
    for (std::size_t i = 0; i < Events::kept; ++i) events.publish("transition", "x");
    CHECK(told("2") == ": still here\n\n");
}

TEST_CASE("a slow reader is dropped, and delays nobody") {
    Events events(10ms);
    const auto slow = events.stream(from("a"));
    slow.more();
    for (std::size_t i = 0; i <= Events::kept; ++i) events.publish("transition", std::string(100, 'x'));
    CHECK(slow.more() == "");
}

TEST_CASE("streams are few, in all and for each peer, and give their place back") {
    Events events(10ms);
    std::vector<HttpResponse> open;
    for (unsigned i = 0; i < Events::most_per_peer; ++i) open.push_back(events.stream(from("a")));
    CHECK(events.stream(from("a")).status == 503);
    for (unsigned i = 0; open.size() < Events::most_streams; ++i)
        open.push_back(events.stream(from("peer " + std::to_string(i))));
    CHECK(open.back().status == 200);
    CHECK(events.stream(from("b")).status == 503);
    CHECK(events.streams() == Events::most_streams);
    open.clear();
    CHECK(events.streams() == 0);
    CHECK(events.stream(from("a")).status == 200);
}

TEST_CASE("strangers cannot shut operators out: the control socket has places of its own") {
    Events events(10ms);
    std::vector<HttpResponse> open;
    for (unsigned i = 0; i < Events::most_streams; ++i)
        open.push_back(events.stream(from("peer " + std::to_string(i))));
    REQUIRE(events.stream(from("another")).status == 503);
    for (unsigned i = 0; i < Events::most_local; ++i) {
        open.push_back(events.stream(from("")));
        CHECK(open.back().status == 200);
    }
    CHECK(events.stream(from("")).status == 503);
    open.erase(open.begin()); // a stranger leaves, and another takes its place, not an operator's
    CHECK(events.stream(from("")).status == 503);
    CHECK(events.stream(from("another")).status == 200);
}

TEST_CASE("a stream over a real socket ends with the reader, and with the server") {
    Events events; // its heartbeat would come too late
    Fd listening = listen_tcp(SocketAddress::parse("127.0.0.1:0").value());
    const auto address = bound_address(listening);
    auto server = std::make_unique<HttpServer>(std::move(listening),
                                               [&](const HttpRequest& r) { return events.stream(r); });
    const auto begin = std::chrono::steady_clock::now();
    const auto until = [&](auto condition) {
        while (!condition() && std::chrono::steady_clock::now() - begin < 20s)
            std::this_thread::sleep_for(5ms);
        CHECK(condition());
    };
    {
        Fd reader = connected_to(address);
        const std::string_view request = "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n";
        REQUIRE(send(reader.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
        until([&] { return events.streams() == 1; });
        events.publish("transition", "{\"id\":7}");
        std::string text;
        std::array<char, 4096> buffer{};
        while (text.find("{\"id\":7}") == std::string::npos) {
            const auto n = recv(reader.get(), buffer.data(), buffer.size(), 0);
            REQUIRE(n > 0);
            text.append(buffer.data(), static_cast<std::size_t>(n));
        }
        CHECK(text.find("text/event-stream") != std::string::npos);
        CHECK(text.find("no-store") != std::string::npos);
    }
    until([&] { return events.streams() == 0; }); // noticed without one more word
    Fd another = connected_to(address);
    const std::string_view request = "GET /v1/events HTTP/1.1\r\nHost: a\r\n\r\n";
    REQUIRE(send(another.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    until([&] { return events.streams() == 1; });
    events.close();
    server.reset();
    CHECK(events.streams() == 0);
}
