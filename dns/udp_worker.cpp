#include "dns/udp_worker.hpp"

#include "dns/rate_limit.hpp"
#include "dns/threads.hpp"

#include <netinet/in.h>
#include <sys/time.h>

#include <cerrno>
#include <ctime>

namespace fairway::dns {
namespace {

// Enough to spread the cost of a system call thin, and few enough that a batch stays in the second-level
// cache.
constexpr unsigned batch = 64;
// The longest answer, rounded up to an odd number of cache lines: an even one would put every message's first
// line into the same few cache sets.
constexpr std::size_t buffer_size = 21 * 64;
static_assert(buffer_size >= max_udp);
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
            incoming[i].msg_hdr = header(i, incoming_data[i]);
        }
        setsockopt(socket.fd(), SOL_SOCKET, SO_RCVTIMEO, &idle_wake, sizeof idle_wake);
    }

    msghdr header(unsigned i, iovec& data) {
        msghdr h{};
        h.msg_name = &peers[i];
        h.msg_namelen = sizeof peers[i];
        h.msg_iov = &data;
        h.msg_iovlen = 1;
        return h;
    }

    void run() {
        while (!stopping.load(std::memory_order_relaxed)) {
            const int n = recvmmsg(socket.fd(), incoming, batch, MSG_WAITFORONE, nullptr);
            handover.refresh(snapshot);
            if (n > 0) send(answer_batch(static_cast<unsigned>(n)));
        }
    }

    // Three rounds, so that the memory the next one needs is on its way meanwhile.
    unsigned answer_batch(unsigned n) {
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
        unsigned answers = 0;
        for (unsigned i = 0; i < n; ++i) answers += answer_one(i, answers);
        return answers;
    }

    // True: answered, as the `place`-th of the batch.
    bool answer_one(unsigned i, unsigned place) {
        std::uint8_t* const buffer = &buffers[i * buffer_size];
        Reply reply;
        if (asked[i]) {
            const Client client{from_sockaddr(reinterpret_cast<sockaddr*>(&peers[i])).ip,
                                Client::Transport::udp, 0, unix_time};
            const Bytes message{buffer, incoming[i].msg_len};
            const std::span<std::uint8_t> out{buffer, max_udp};
            reply = answer(queries[i], message, *snapshot, client, random, out);
            if (limiting) reply = limiter.limit(reply, queries[i], message, *snapshot, client, now, out);
        }
        counters.count(reply);
        incoming[i].msg_hdr.msg_namelen = sizeof peers[i];
        if (reply.size == 0) return false;
        outgoing_data[place] = {buffer, reply.size};
        outgoing[place].msg_hdr = header(i, outgoing_data[place]);
        return true;
    }

    void send(unsigned n) {
        for (unsigned sent = 0; sent < n;) {
            const int more = sendmmsg(socket.fd(), outgoing + sent, n - sent, 0);
            if (more > 0) sent += static_cast<unsigned>(more);
            else if (errno != EINTR) {
                counters.send_errors.add(1); // of the first one left; the rest may still go
                ++sent;
            }
        }
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
    iovec incoming_data[batch], outgoing_data[batch];
    mmsghdr incoming[batch]{}, outgoing[batch]{};
};

UdpWorker::UdpWorker(Socket socket, Handover& handover, unsigned workers, std::uint64_t seed)
    : loop_(std::make_unique<Loop>(std::move(socket), handover, workers, seed)),
      thread_(start_thread("dns-udp", [this] { loop_->run(); })) {}

UdpWorker::~UdpWorker() {
    loop_->stopping = true;
    shutdown(loop_->socket.fd(), SHUT_RD); // says ENOTCONN, and wakes the thread in recvmmsg
    thread_.join();
}

const Counters& UdpWorker::counters() const { return loop_->counters; }

} // namespace fairway::dns
