#include "dns/tcp_front.hpp"

#include "dns/threads.hpp"

#include <uv.h>

#include <list>

namespace fairway::dns {
namespace {

constexpr std::size_t prefix_size = 2; // RFC 1035 section 4.2.2
// A connection backlog in the kernel that outlasts a loop held up by a batch of large answers.
constexpr int listen_backlog = 1024;
// How often limits are looked at; they are exact to this.
constexpr std::uint64_t sweep_ms = 250;

} // namespace

struct TcpFront::Loop {
    struct Connection;
    using Connections = std::list<std::unique_ptr<Connection>>; // the one quiet longest comes first

    struct Connection {
        Loop* loop;
        Connections::iterator place;
        uv_tcp_t handle;
        IpAddress peer;
        std::uint64_t opened, active;      // loop time, ms
        std::vector<std::uint8_t> partial; // the start of a query whose end has not come yet
        std::size_t waiting = 0;           // octets of answers the kernel has not taken
        bool reading = false, ended = false, closing = false;
    };

    // Answers on their way to a client that takes them slowly.
    struct Write {
        uv_write_t request;
        Connection* connection;
        std::vector<std::uint8_t> bytes;
    };

    Loop(Handover& h, TcpLimits l, std::uint64_t seed)
        : handover(h),
          limits(l),
          random(seed),
          read_buffer(prefix_size + max_message),
          out(2 * (prefix_size + max_message)) {
        uv_loop_init(&uv);
        uv_async_init(&uv, &wake, [](uv_async_t* a) { static_cast<Loop*>(a->data)->stop(); });
        uv_timer_init(&uv, &sweep);
        wake.data = sweep.data = uv.data = this;
        uv_timer_start(
            &sweep, [](uv_timer_t* t) { static_cast<Loop*>(t->data)->enforce_limits(); }, sweep_ms, sweep_ms);
    }
    ~Loop() { uv_loop_close(&uv); }

    // ------------------------------------------------------------ listening and accepting

    int listen(Socket socket) {
        auto& listener = *listeners.emplace_back(std::make_unique<uv_tcp_t>());
        uv_tcp_init(&uv, &listener);
        listener.data = this;
        if (const int error = uv_tcp_open(&listener, socket.fd())) return error;
        socket.release();
        return uv_listen(reinterpret_cast<uv_stream_t*>(&listener), listen_backlog,
                         [](uv_stream_t* s, int status) {
                             if (status == 0) static_cast<Loop*>(s->data)->accept(s);
                         });
    }

    void accept(uv_stream_t* listener) {
        if (live >= limits.connections) close_quietest();
        auto& c = *connections.emplace_back(std::make_unique<Connection>());
        c.loop = this;
        c.place = std::prev(connections.end());
        c.opened = c.active = uv_now(&uv);
        ++live;
        uv_tcp_init(&uv, &c.handle);
        c.handle.data = &c;
        if (uv_accept(listener, stream(c)) || !learn_peer(c)) return close(c);
        counters.connections.add(1);
        uv_tcp_nodelay(&c.handle, 1);
        read(c);
    }

    static bool learn_peer(Connection& c) {
        sockaddr_storage a{};
        int length = sizeof a;
        if (uv_tcp_getpeername(&c.handle, reinterpret_cast<sockaddr*>(&a), &length)) return false;
        c.peer = from_sockaddr(reinterpret_cast<sockaddr*>(&a)).ip;
        return true;
    }

    // ------------------------------------------------------------ reading and answering

    static uv_stream_t* stream(Connection& c) { return reinterpret_cast<uv_stream_t*>(&c.handle); }

    void read(Connection& c) {
        if (c.reading || c.ended || c.closing) return;
        c.reading = true;
        const auto allocate = [](uv_handle_t* h, std::size_t, uv_buf_t* buf) {
            auto& b = static_cast<Connection*>(h->data)->loop->read_buffer;
            *buf = uv_buf_init(reinterpret_cast<char*>(b.data()), static_cast<unsigned>(b.size()));
        };
        uv_read_start(stream(c), allocate, [](uv_stream_t* s, ssize_t n, const uv_buf_t* buf) {
            auto& from = *static_cast<Connection*>(s->data);
            const auto* const bytes = reinterpret_cast<std::uint8_t*>(buf->base);
            if (n > 0) from.loop->answer_all(from, {bytes, static_cast<std::size_t>(n)});
            else if (n < 0) from.loop->end(from, n == UV_EOF);
        });
    }

    // The client sends no more. What it has been promised it still gets.
    void end(Connection& c, bool orderly) {
        c.ended = true;
        pause(c);
        if (!orderly || c.waiting == 0) close(c);
    }

    void pause(Connection& c) {
        uv_read_stop(stream(c));
        c.reading = false;
    }

    // Answers each whole query in what is left of earlier reads and in `bytes` (RFC 7766 section 6.2.1.1:
    // they may come back to back), as long as the client takes the answers; keeps the rest.
    void answer_all(Connection& c, Bytes bytes) {
        handover.refresh(snapshot);
        if (!c.partial.empty()) {
            c.partial.insert(c.partial.end(), bytes.begin(), bytes.end());
            bytes = c.partial;
        }
        while (!c.closing && c.waiting <= limits.backlog && bytes.size() >= prefix_size) {
            const std::size_t length = get16(bytes.data());
            if (bytes.size() < prefix_size + length) break;
            answer_one(c, bytes.subspan(prefix_size, length));
            bytes = bytes.subspan(prefix_size + length);
            if (out.size() - used < prefix_size + max_message) write(c);
        }
        if (!c.closing && used) write(c);
        used = 0;
        if (c.closing) return;
        c.partial = bytes.empty() ? std::vector<std::uint8_t>()
                                  : std::vector<std::uint8_t>(bytes.begin(), bytes.end());
        if (c.waiting > limits.backlog) pause(c);
    }

    void answer_one(Connection& c, Bytes message) {
        Query query;
        Reply reply;
        const Client client{c.peer, Client::Transport::tcp};
        const std::span<std::uint8_t> room(&out[used + prefix_size], max_message);
        if (read_query(message, query)) reply = answer(query, message, *snapshot, client, random, room);
        counters.queries.add(1);
        counters.count(reply);
        if (reply.size == 0) return close(c); // whoever speaks no DNS need not go on
        put16(&out[used], reply.size);
        used += prefix_size + reply.size;
        touch(c);
    }

    // ------------------------------------------------------------ writing

    // All of `out`: at once as far as the kernel takes it, the rest when it can.
    void write(Connection& c) {
        std::size_t sent = 0;
        if (c.waiting == 0) {
            const uv_buf_t buf =
                uv_buf_init(reinterpret_cast<char*>(out.data()), static_cast<unsigned>(used));
            const int n = uv_try_write(stream(c), &buf, 1);
            if (n < 0 && n != UV_EAGAIN) return close(c);
            sent = n > 0 ? static_cast<std::size_t>(n) : 0;
        }
        if (sent < used) write_later(c, {&out[sent], used - sent});
        used = 0;
    }

    void write_later(Connection& c, Bytes bytes) {
        auto write = std::make_unique<Write>();
        write->connection = &c;
        write->bytes.assign(bytes.begin(), bytes.end());
        write->request.data = write.get();
        const uv_buf_t buf =
            uv_buf_init(reinterpret_cast<char*>(write->bytes.data()), static_cast<unsigned>(bytes.size()));
        const auto done = [](uv_write_t* request, int status) {
            const std::unique_ptr<Write> owner(static_cast<Write*>(request->data));
            owner->connection->loop->written(*owner->connection, owner->bytes.size(), status);
        };
        if (uv_write(&write->request, stream(c), &buf, 1, done)) return close(c);
        write.release();
        c.waiting += bytes.size();
    }

    void written(Connection& c, std::size_t bytes, int status) {
        c.waiting -= bytes;
        if (c.closing) return;
        if (status) return close(c);
        touch(c);
        if (c.waiting == 0) answer_all(c, {});
        if (c.waiting > 0 || c.closing) return;
        if (c.ended) close(c);
        else read(c);
    }

    // ------------------------------------------------------------ limits and closing

    void touch(Connection& c) {
        c.active = uv_now(&uv);
        connections.splice(connections.end(), connections, c.place);
    }

    void enforce_limits() {
        const std::uint64_t now = uv_now(&uv);
        const auto over = [&](std::uint64_t since, std::chrono::milliseconds limit) {
            return now - since >= static_cast<std::uint64_t>(limit.count());
        };
        for (auto& c : connections)
            if (!c->closing && (over(c->active, limits.idle) || over(c->opened, limits.total)))
                close_by_limit(*c);
        handover.refresh(snapshot); // an idle front must not keep an old one alive
    }

    void close_quietest() {
        for (auto& c : connections)
            if (!c->closing) return close_by_limit(*c);
    }

    void close_by_limit(Connection& c) {
        counters.closed_by_limit.add(1);
        close(c);
    }

    // The memory goes once libuv has let go of the handle; the list keeps it until then.
    void close(Connection& c) {
        if (c.closing) return;
        c.closing = true;
        --live;
        uv_close(reinterpret_cast<uv_handle_t*>(&c.handle), [](uv_handle_t* h) {
            auto& closed = *static_cast<Connection*>(h->data);
            closed.loop->connections.erase(closed.place);
        });
    }

    void stop() {
        for (auto& c : connections) close(*c);
        for (auto& l : listeners) uv_close(reinterpret_cast<uv_handle_t*>(l.get()), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&sweep), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
    }

    Handover& handover;
    const TcpLimits limits;
    Random random;
    SnapshotPtr snapshot;
    Counters counters;
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t sweep;
    std::vector<std::unique_ptr<uv_tcp_t>> listeners;
    Connections connections;
    std::size_t live = 0; // connections not being closed
    std::vector<std::uint8_t> read_buffer;
    std::vector<std::uint8_t> out; // answers, as they will be sent; there is always room for one more
    std::size_t used = 0;          // octets of `out`
};

TcpFront::TcpFront(std::vector<Socket> sockets, Handover& handover, TcpLimits limits, std::uint64_t seed)
    : loop_(std::make_unique<Loop>(handover, limits, seed)) {
    for (auto& socket : sockets) {
        const std::string where = bound_address(socket).to_string();
        if (const int error = loop_->listen(std::move(socket)); error && problem_.empty())
            problem_ = where + " (TCP): cannot listen: " + uv_strerror(error);
    }
    thread_ = start_thread("dns-tcp", [this] { uv_run(&loop_->uv, UV_RUN_DEFAULT); });
}

TcpFront::~TcpFront() {
    uv_async_send(&loop_->wake);
    thread_.join();
}

const Counters& TcpFront::counters() const { return loop_->counters; }

} // namespace fairway::dns
