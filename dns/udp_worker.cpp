#include "dns/udp_worker.hpp"

#include "dns/rate_limit.hpp"
#include "dns/threads.hpp"
#include "dns/udp_outbox.hpp"

#include <sys/time.h>

#include <cerrno>
#include <ctime>

namespace fairway::dns {
namespace {

// Enough to spread the cost of a system call thin, and few enough that a batch stays in the second-level
// cache.
constexpr unsigned batch = UdpOutbox::capacity;
// The longest answer, rounded up to an odd number of cache lines: an even one would put every message's first
// line into the same few cache sets.
constexpr std::size_t buffer_size = 21 * 64;
static_assert(buffer_size >= max_udp);
inline IpAddress address_of(const sockaddr_in6& peer) {
    IpAddress a;
    if (peer.sin6_family == AF_INET6) {
        a.family = Family::v6;
        std::memcpy(a.bytes.data(), &peer.sin6_addr, 16);
    } else std::memcpy(a.bytes.data(), &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, 4);
    return a;
}
// How long an idle worker may hold on to a snapshot that has been replaced.
constexpr timeval idle_wake{1, 0};

} // namespace

struct UdpWorker::Loop {
    Loop(Socket s, Handover& h, unsigned workers, std::uint64_t seed)
        : socket(std::move(s)),
          handover(h),
          random(seed),
          limiter(workers, random.next()),
          buffers(new std::uint8_t[batch * buffer_size]),
          queries(new Query[batch]) {
        for (unsigned i = 0; i < batch; ++i) {
            incoming_data[i] = {&buffers[i * buffer_size], buffer_size};
            msghdr& m = incoming[i].msg_hdr;
            m.msg_name = &peers[i];
            m.msg_namelen = sizeof peers[i];
            m.msg_iov = &incoming_data[i];
            m.msg_iovlen = 1;
        }
        setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &idle_wake, sizeof idle_wake);
        handover.refresh(snapshot);
    }

    void run() {
        while (!stopping.load(std::memory_order_relaxed)) {
            const int n = receive();
            handover.refresh(snapshot);
            if (n <= 0) continue;
            answer_batch(static_cast<unsigned>(n));
            if (const unsigned refused = outbox.send(socket.fd())) counters.send_errors.add(refused);
        }
    }

    int receive(int how) { return recvmmsg(socket.fd(), incoming, batch, how, nullptr); }

    // Whoever sleeps answers later by the time it takes to be woken: an operator may have us look on for a
    // while.
    int receive() {
        const Duration spin = snapshot->fixed->settings.spin;
        if (spin > Duration::zero()) {
            const auto until = std::chrono::steady_clock::now() + spin;
            do {
                const int n = receive(MSG_DONTWAIT);
                if (n > 0 || errno != EAGAIN) return n;
            } while (std::chrono::steady_clock::now() < until);
        }
        return receive(MSG_WAITFORONE);
    }

    // Four rounds, so that the memory the next one needs is on its way meanwhile.
    void answer_batch(unsigned n) {
        counters.queries.add(n);
        unix_time = static_cast<std::uint32_t>(time(nullptr)); // by the vDSO, no system call
        limiting = snapshot->fixed->settings.rate_limit.on();
        if (limiting) now = RateLimiter::Clock::now();
        for (unsigned i = 0; i < n; ++i) {
            asked[i] = read_query({&buffers[i * buffer_size], incoming[i].msg_len}, queries[i]);
            if (asked[i]) prefetch_names(queries[i], *snapshot);
        }
        for (unsigned i = 0; i < n; ++i)
            if (asked[i]) prefetch_nodes(queries[i], *snapshot);
        for (unsigned i = 0; i < n; ++i)
            if (asked[i]) prefetch_services(queries[i], *snapshot);
        for (unsigned i = 0; i < n; ++i) answer_one(i);
    }

    void answer_one(unsigned i) {
        std::uint8_t* const buffer = &buffers[i * buffer_size];
        Reply reply;
        if (asked[i]) {
            const Client client{address_of(peers[i]), Client::Transport::udp, 0, unix_time};
            const Bytes message{buffer, incoming[i].msg_len};
            const std::span<std::uint8_t> out{buffer, max_udp};
            reply = answer(queries[i], message, *snapshot, client, random, out);
            if (limiting) reply = limiter.limit(reply, queries[i], message, *snapshot, client, now, out);
        }
        counters.count(reply);
        incoming[i].msg_hdr.msg_namelen = sizeof peers[i];
        if (reply.size) outbox.add(peers[i], buffer, reply.size);
    }

    Socket socket;
    Handover& handover;
    Random random;
    RateLimiter limiter;
    std::uint32_t unix_time = 0;        // of the batch, as is ...
    RateLimiter::Clock::time_point now; // ... this, while responses are limited
    bool limiting = false;
    SnapshotPtr snapshot;
    Counters counters;
    std::atomic<bool> stopping{false};
    std::unique_ptr<std::uint8_t[]> buffers;
    std::unique_ptr<Query[]> queries;
    bool asked[batch];
    sockaddr_in6 peers[batch]; // large enough for either family
    iovec incoming_data[batch];
    mmsghdr incoming[batch]{};
    UdpOutbox outbox;
};

UdpWorker::UdpWorker(Socket socket, Handover& handover, unsigned workers, std::uint64_t seed)
    : loop_(std::make_unique<Loop>(std::move(socket), handover, workers, seed)),
      thread_(start_thread("dns-udp", [this] { loop_->run(); })) {}

UdpWorker::~UdpWorker() {
    if (!loop_->stopping.exchange(true))
        shutdown(loop_->socket.fd(), SHUT_RD); // says ENOTCONN, and wakes the thread in recvmmsg
    left();
}

// Without a shutdown, which would be one for every process that has the socket: an idle worker looks up once
// a second.
void UdpWorker::leave() { loop_->stopping = true; }

void UdpWorker::left() {
    if (thread_.joinable()) thread_.join();
}

const Socket& UdpWorker::socket() const { return loop_->socket; }

const Counters& UdpWorker::counters() const { return loop_->counters; }

} // namespace fairway::dns
