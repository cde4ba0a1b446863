// TCP clients and what they may hold: pipelining, half-closed ones, limits, slow readers, junk.
#include "dns/server.hpp"
#include "tests/unit/dns/clients.hpp"

#include <sys/resource.h>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;
using namespace std::chrono_literals;

namespace {

// A server on loopback whose answers to `big` take 43 KB.
struct Front {
    explicit Front(TcpSettings tcp = {}) {
        Model m;
        m.dns.listen = {*SocketAddress::parse("127.0.0.1:0")};
        m.dns.threads = 1;
        m.dns.tcp = tcp;
        std::vector<std::string> lines{"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1",
                                       "www 300 A 192.0.2.1"};
        for (int i = 0; i < 200; ++i)
            lines.push_back("big 300 TXT \"" + std::to_string(i) + std::string(200, 'x') + "\"");
        m.zones = {zone_of("example.com", lines)};
        server = Server::start(m.dns, compile(m, {}, 1)).server;
        REQUIRE(server);
    }
    SocketAddress address() const { return server->addresses()[0]; }
    Socket client(const char* from = "127.0.0.1") const { return connected(address(), SOCK_STREAM, from); }
    Socket slow_client() const { return connected(address(), SOCK_STREAM, "127.0.0.1", 4096); }
    std::uint64_t closed(TcpEnd by) const {
        return server->counts().tcp.closed[static_cast<std::size_t>(by)];
    }
    /// Waits until so many have been closed by it.
    bool closes(TcpEnd by, std::uint64_t count) const {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
        while (closed(by) < count)
            if (std::chrono::steady_clock::now() > deadline) return false;
            else std::this_thread::yield();
        return true;
    }

    std::unique_ptr<Server> server;
};

Packet www(std::uint16_t id = 1) { return framed(make_query("www.example.com.", rrtype::a, id)); }
Packet big(std::uint16_t id = 1) { return framed(make_query("big.example.com.", rrtype::txt, id)); }

bool answered(const Socket& client, std::uint16_t id = 1) {
    send_all(client, www(id));
    const auto reply = receive_message(client);
    return reply.size() > header_size && get16(reply.data()) == id;
}

Packet operator+(Packet a, const Packet& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

void allow_descriptors() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

} // namespace

TEST_CASE("one client may hold so many connections, and others still come in") {
    TcpSettings tcp;
    tcp.per_client = 3;
    const Front front(tcp);
    std::vector<Socket> held;
    for (int i = 0; i < 3; ++i) {
        held.push_back(front.client());
        CHECK(answered(held.back()));
    }
    CHECK(ended(front.client()));
    CHECK(front.closed(TcpEnd::client) == 1);
    CHECK(answered(front.client("127.0.0.2")));
    for (auto& c : held) CHECK(answered(c));
    held.pop_back(); // what is given back may be had again
    CHECK(front.server->counts().tcp.ended >= 1);
    for (bool again = false; !again;) {
        const Socket c = front.client();
        send_all(c, www());
        again = !receive_message(c).empty();
    }
}

TEST_CASE("who has all it may have pushes nobody out, though the front is full") {
    TcpSettings tcp;
    tcp.connections = 10;
    tcp.per_client = 5;
    const Front front(tcp);
    std::vector<Socket> others, own;
    for (int i = 0; i < 5; ++i) {
        others.push_back(front.client("127.0.0.3"));
        REQUIRE(answered(others.back()));
        own.push_back(front.client("127.0.0.2"));
        REQUIRE(answered(own.back()));
    }
    for (int i = 0; i < 20; ++i) CHECK(ended(front.client("127.0.0.2")));
    for (const auto& c : others) CHECK(answered(c));
    CHECK(front.closed(TcpEnd::client) == 20);
    CHECK(front.closed(TcpEnd::crowd) == 0);
}

TEST_CASE("the quietest connection makes room, one that is used does not") {
    TcpSettings tcp;
    tcp.connections = 10;
    const Front front(tcp);
    const Socket used = front.client("127.0.0.2");
    std::vector<Socket> many;
    for (std::uint16_t i = 0; i < 50; ++i) {
        REQUIRE(answered(used, i));
        many.push_back(front.client());
        REQUIRE(answered(many.back(), i));
    }
    CHECK(front.closed(TcpEnd::crowd) == 41);
    const auto counts = front.server->counts().tcp;
    CHECK(counts.connections - counts.ended == 10);
}

TEST_CASE("who sends what is no query gets the answers it has asked for, and the end") {
    const Front front;
    const Packet response = framed([] {
        auto q = make_query("www.example.com.", rrtype::a);
        q[2] = 0x80;
        return q;
    }());
    const std::pair<const char*, Packet> rows[] = {
        {"a length beyond any query", {0xff, 0xff}},
        {"HTTP", {'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T', 'P'}},
        {"an empty message", {0, 0}},
        {"a response", response},
    };
    std::uint64_t junk = 0;
    for (const auto& [what, bytes] : rows) {
        CAPTURE(what);
        const Socket c = front.client();
        send_all(c, www(1) + big(2) + bytes);
        CHECK(get16(receive_message(c).data()) == 1);
        CHECK(get16(receive_message(c).data()) == 2);
        CHECK(ended(c));
        CHECK(front.closes(TcpEnd::junk, ++junk));
    }
    CHECK(answered(front.client()));
}

TEST_CASE("how long a connection may be idle is told over TCP to who asks (RFC 7828)") {
    TcpSettings tcp;
    tcp.idle = 4500ms;
    const Front front(tcp);
    const auto asking = with_opt(make_query("www.example.com.", rrtype::a), {1232, 0, 0, option(11, {})});
    const Packet expected = option(11, {0, 45});
    const auto ends_with = [](const Packet& reply, const Packet& end) {
        return reply.size() > end.size() && std::equal(end.begin(), end.end(), reply.end() - end.size());
    };
    const Socket c = front.client();
    send_all(c, framed(asking));
    CHECK(ends_with(receive_message(c), expected));
    send_all(c, framed(with_opt(make_query("www.example.com.", rrtype::a), {})));
    CHECK_FALSE(ends_with(receive_message(c), expected));
    const Socket udp = connected(front.address(), SOCK_DGRAM);
    const auto reply = over_udp(udp, asking);
    CHECK(get16(&reply[reply.size() - 2]) == 0); // an OPT record without options
}

TEST_CASE("however busy, a connection ends when it is old") {
    TcpSettings tcp;
    tcp.total = 1s;
    const Front front(tcp);
    const Socket c = front.client();
    const auto begin = std::chrono::steady_clock::now();
    while (true) {
        const auto q = www();
        if (send(c.fd(), q.data(), q.size(), MSG_NOSIGNAL) <= 0 || receive_message(c).empty()) break;
        REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(patience_ms));
    }
    CHECK(std::chrono::steady_clock::now() - begin >= 750ms); // limits are exact to a sweep
    CHECK(front.closed(TcpEnd::total) == 1);
}

TEST_CASE("a client that takes no answers is not read from, then dropped; the others do not notice") {
    TcpSettings tcp;
    tcp.idle = 1s;
    const Front front(tcp);
    const Socket slow = front.slow_client();
    Packet queries;
    for (int i = 0; i < 200; ++i) queries = queries + big(); // 8 MB of answers
    send_all(slow, queries);
    for (int i = 0; i < 50; ++i) CHECK(answered(front.client()));
    CHECK(front.closes(TcpEnd::idle, 1));
    CHECK(front.server->counts().tcp.queries < 50 + 50); // what it did not take was not even made
}

TEST_CASE("slow readers together hold no more than so much") {
    allow_descriptors();
    TcpSettings tcp;
    tcp.per_client = 1000;
    const Front front(tcp);
    std::vector<Socket> slow;
    Packet queries;
    for (int i = 0; i < 30; ++i) queries = queries + big(); // 1.3 MB of answers
    for (int i = 0; i < 700; ++i) {
        slow.push_back(front.slow_client());
        send_all(slow.back(), queries);
    }
    CHECK(front.closes(TcpEnd::slow, 1));
    CHECK(answered(front.client("127.0.0.2")));
}
