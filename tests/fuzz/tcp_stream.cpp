#include "tests/fuzz/tcp_stream.hpp"

#include "dns/tcp_front.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace fairway::dns::testing {
namespace {

constexpr timeval patience{10, 0}; // longer than a loaded machine takes; silence is a failure

void require(bool holds, const char* what, Bytes stream) {
    if (holds) return;
    std::fprintf(stderr, "TCP: %s, to ", what);
    for (const auto octet : stream) std::fprintf(stderr, "%02x", octet);
    std::fputc('\n', stderr);
    std::abort();
}

struct Front {
    Handover handover;
    std::unique_ptr<TcpFront> tcp;
    SocketAddress address;

    Front() {
        handover.publish(fuzz_world());
        tcp = std::make_unique<TcpFront>(handover, 1);
        Opened opened = open_tcp(*SocketAddress::parse("127.0.0.1:0"));
        require(opened.problem.empty(), opened.problem.c_str(), {});
        address = bound_address(opened.socket);
        require(tcp->add(std::move(opened.socket)).empty(), "cannot listen", {});
    }
};

Socket connect_to(const SocketAddress& address) {
    sockaddr_storage to{};
    const socklen_t length = to_sockaddr(address, to);
    Socket s(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::setsockopt(s.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    require(::connect(s.fd(), reinterpret_cast<const sockaddr*>(&to), length) == 0, "cannot connect", {});
    return s;
}

// Until the other side ends; false if it does not. It may end with a reset where we sent more than it read.
bool read_all(int fd, Packet& out) {
    std::uint8_t part[4096];
    for (;;) {
        const ssize_t n = ::recv(fd, part, sizeof part, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET)) return true;
        if (n < 0) return false;
        out.insert(out.end(), part, part + n);
    }
}

std::vector<Bytes> frames(Bytes stream) {
    std::vector<Bytes> whole;
    while (stream.size() >= 2 && stream.size() - 2 >= get16(stream.data())) {
        whole.push_back(stream.subspan(2, get16(stream.data())));
        stream = stream.subspan(2 + whole.back().size());
    }
    return whole;
}

bool answers_one_of(Bytes reply, const std::vector<Bytes>& queries) {
    for (const Bytes q : queries)
        if (q.size() >= 2 && std::equal(q.begin(), q.begin() + 2, reply.begin())) return true;
    return false;
}

} // namespace

void append_framed(Packet& stream, const Packet& message) {
    stream.push_back(static_cast<std::uint8_t>(message.size() >> 8));
    stream.push_back(static_cast<std::uint8_t>(message.size()));
    stream.insert(stream.end(), message.begin(), message.end());
}

std::size_t check_tcp_stream(Bytes stream) {
    static Front front;
    const Socket s = connect_to(front.address);
    ::send(s.fd(), stream.data(), stream.size(), MSG_NOSIGNAL);
    ::shutdown(s.fd(), SHUT_WR);
    Packet received;
    require(read_all(s.fd(), received), "the connection does not end", stream);
    const auto queries = frames(stream), replies = frames(received);
    require(replies.size() <= queries.size(), "more answers than queries", stream);
    std::size_t octets = 0;
    for (const Bytes reply : replies) {
        octets += 2 + reply.size();
        require(decode(reply).has_value(), "ldns cannot read an answer", stream);
        require(answers_one_of(reply, queries), "an answer to nothing", stream);
    }
    require(octets == received.size(), "half an answer", stream);
    return replies.size();
}

} // namespace fairway::dns::testing
