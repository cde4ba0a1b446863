// A batch's answers over loopback: whatever lengths and peers, each peer gets its own, whole and unpadded.
#include "dns/sockets.hpp"
#include "dns/udp_outbox.hpp"

#include <doctest/doctest.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <set>
#include <vector>

using namespace fairway;
using namespace fairway::dns;

namespace {

constexpr int patience_ms = 10'000;
using Datagram = std::vector<std::uint8_t>;

// A client's socket, and how the sender sees it.
struct Peer {
    explicit Peer(const char* address) {
        auto opened = open_udp(*SocketAddress::parse(address));
        REQUIRE(opened.socket);
        socket = std::move(opened.socket);
        sockaddr_storage a;
        to_sockaddr(bound_address(socket), a);
        std::memcpy(&seen_as, &a, sizeof seen_as);
    }

    std::multiset<Datagram> receive(std::size_t count) {
        std::multiset<Datagram> all;
        pollfd p{socket.fd(), POLLIN, 0};
        while (all.size() < count && poll(&p, 1, patience_ms) == 1) {
            Datagram d(65536);
            d.resize(static_cast<std::size_t>(recvfrom(socket.fd(), d.data(), d.size(), 0, from(), &length)));
            all.insert(std::move(d));
            sources.insert(from_sockaddr(from()));
        }
        CHECK(recv(socket.fd(), &length, 1, MSG_DONTWAIT) < 0); // and no more
        return all;
    }

    sockaddr* from() { return reinterpret_cast<sockaddr*>(&source); }

    Socket socket;
    sockaddr_in6 seen_as{};
    sockaddr_storage source{};
    socklen_t length = sizeof source;
    std::set<SocketAddress> sources;
};

struct Batch {
    std::vector<std::pair<Peer*, Datagram>> answers;
    void add(Peer& peer, std::size_t size, std::uint8_t fill) {
        answers.push_back({&peer, Datagram(size, fill)});
    }

    // Sends it all; returns the number of messages it took.
    unsigned send(UdpOutbox& outbox, const Socket& from) {
        for (auto& [peer, d] : answers) outbox.add(peer->seen_as, d.data(), d.size());
        CHECK(outbox.send(from.fd()) == 0);
        return outbox.messages();
    }
    void arrives_at(Peer& peer) {
        std::multiset<Datagram> expected;
        for (auto& [p, d] : answers)
            if (p == &peer) expected.insert(d);
        CHECK(peer.receive(expected.size()) == expected);
    }
};

Socket sender(const char* address) { return std::move(open_udp(*SocketAddress::parse(address)).socket); }

} // namespace

TEST_CASE("answers of one length to one peer leave as one message, a shorter one at its end") {
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
        const Socket from = sender(address);
        Peer a(address), b(address);
        Batch batch;
        for (std::uint8_t i = 0; i < 10; ++i) {
            batch.add(a, 60, i);
            batch.add(b, i % 2 ? 100 : 120, i);
        }
        batch.add(a, 40, 200);
        batch.add(a, 50, 201);
        UdpOutbox outbox;
        // a: ten and a tail, and the other short one; b: two lengths.
        CHECK(batch.send(outbox, from) == 4);
        batch.arrives_at(a);
        batch.arrives_at(b);
        CHECK(a.sources == std::set{bound_address(from)});
    }
}

TEST_CASE("one message never holds more than a datagram may") {
    const Socket from = sender("127.0.0.1:0");
    Peer peer("127.0.0.1:0");
    Batch batch;
    for (std::uint8_t i = 0; i < UdpOutbox::capacity; ++i) batch.add(peer, 1232, i); // 78,848 octets
    UdpOutbox outbox;
    CHECK(batch.send(outbox, from) == 2);
    batch.arrives_at(peer);
}

TEST_CASE("where the kernel refuses segments the answers leave one by one, and so do the next") {
    const Socket from = sender("127.0.0.1:0");
    const int on = 1;
    REQUIRE(setsockopt(from.fd(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof on) == 0); // no checksum, no segments
    Peer peer("127.0.0.1:0");
    Batch batch;
    for (std::uint8_t i = 0; i < 8; ++i) batch.add(peer, 60, i);
    UdpOutbox outbox;
    CHECK(batch.send(outbox, from) == 1);
    batch.arrives_at(peer);
    CHECK(batch.send(outbox, from) == 8);
    batch.arrives_at(peer);
}

TEST_CASE("what cannot be sent is counted, and the rest goes") {
    const Socket from = sender("127.0.0.1:0");
    Peer peer("127.0.0.1:0");
    sockaddr_in6 nowhere = peer.seen_as;
    reinterpret_cast<sockaddr_in&>(nowhere).sin_port = 0; // EINVAL
    Datagram d(60, 1);
    UdpOutbox outbox;
    outbox.add(nowhere, d.data(), d.size());
    outbox.add(peer.seen_as, d.data(), d.size());
    outbox.add(nowhere, d.data(), d.size());
    CHECK(outbox.send(from.fd()) == 2);
    CHECK(peer.receive(1).size() == 1);
}

TEST_CASE("any mixture of peers and lengths arrives as it was") {
    std::mt19937 rng(7);
    for (const char* address : {"127.0.0.1:0", "[::1]:0"}) {
        const Socket from = sender(address);
        std::vector<Peer> peers;
        for (int i = 0; i < 12; ++i) peers.emplace_back(address);
        UdpOutbox outbox; // one for all: nothing of a batch is left for the next
        for (int round = 0; round < 200; ++round) {
            Batch batch;
            const auto population = 1 + rng() % 12, lengths = 1 + rng() % 4;
            for (auto n = 1 + rng() % UdpOutbox::capacity; n; --n)
                batch.add(peers[rng() % population], 40 + 30 * (rng() % lengths),
                          static_cast<std::uint8_t>(rng()));
            std::set<std::pair<Peer*, std::size_t>> kinds;
            for (auto& [p, d] : batch.answers) kinds.insert({p, d.size()});
            CHECK(batch.send(outbox, from) <= kinds.size());
            for (std::size_t i = 0; i < population; ++i) batch.arrives_at(peers[i]);
        }
    }
}
