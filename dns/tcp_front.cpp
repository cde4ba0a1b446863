#include "dns/tcp_front.hpp"

#include "dns/threads.hpp"

#include <uv.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <mutex>

namespace fairway::dns {
namespace {

constexpr std::size_t prefix_size = 2; // RFC 1035 section 4.2.2
// A connection backlog in the kernel that outlasts a loop held up by a batch of large answers.
constexpr int listen_backlog = 1024;
// How often limits are looked at; they are exact to this.
constexpr std::uint64_t sweep_ms = 250;
// No query is longer, with room for padding (RFC 8467) and options to come.
constexpr std::size_t max_query = 4096;
// Libuv reads up to 32 of these from one connection before it looks at the next: some milliseconds of
// queries.
constexpr std::size_t read_size = 16 * 1024;
// Answers waiting for one slow reader, a message or so; beyond it nothing more is read from that client.
constexpr std::size_t backlog = 64 * 1024;
// The same for all of them: beyond it who cannot take its answers is dropped. Some hundred such readers.
constexpr std::size_t most_waiting = 32 << 20;
// And as much again in the kernel, which would else take megabytes for each.
constexpr int send_buffer = 64 * 1024;

// Who counts as one client: an address, of IPv6 the /64 that a host may have for itself.
IpAddress client_of(IpAddress address) {
    if (address.family == Family::v6)
        std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
    return address;
}

} // namespace

struct TcpFront::Loop {
    struct Connection;
    using Connections = std::list<std::unique_ptr<Connection>>; // the one quiet longest comes first

    struct Connection {
        Loop* loop;
        Connections::iterator place;
        uv_tcp_t handle;
        std::optional<IpAddress> peer;     // once it is known, and counted
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

    Loop(Handover& h, std::uint64_t seed)
        : handover(h), random(seed), read_buffer(read_size), out(2 * (prefix_size + max_message)) {
        handover.refresh(snapshot);
        uv_loop_init(&uv);
        uv_async_init(&uv, &wake, [](uv_async_t* a) { static_cast<Loop*>(a->data)->do_jobs(); });
        uv_timer_init(&uv, &sweep);
        wake.data = sweep.data = uv.data = this;
        uv_timer_start(
            &sweep, [](uv_timer_t* t) { static_cast<Loop*>(t->data)->enforce_limits(); }, sweep_ms, sweep_ms);
    }
    ~Loop() { uv_loop_close(&uv); }

    // ------------------------------------------------------------ what other threads want done

    void post(std::function<void()> job) {
        std::scoped_lock lock(mutex);
        jobs.push_back(std::move(job));
        uv_async_send(&wake);
    }

    void do_jobs() {
        std::vector<std::function<void()>> now;
        {
            std::scoped_lock lock(mutex);
            now.swap(jobs);
        }
        for (auto& job : now) job();
    }

    // ------------------------------------------------------------ listening and accepting

    struct Listener {
        uv_tcp_t handle;
        SocketAddress address;
        std::list<Listener>::iterator place;
    };

    // The kernel listens already: what can fail has failed in add().
    void listen(Socket socket) {
        const auto place = listeners.emplace(listeners.end());
        place->place = place;
        place->address = bound_address(socket);
        uv_tcp_t& listener = place->handle;
        uv_tcp_init(&uv, &listener);
        listener.data = this;
        uv_tcp_open(&listener, socket.release());
        uv_listen(reinterpret_cast<uv_stream_t*>(&listener), listen_backlog, [](uv_stream_t* s, int status) {
            if (status == 0) static_cast<Loop*>(s->data)->accept(s);
        });
    }

    void stop_listening(const SocketAddress& address) {
        for (auto& l : listeners)
            if (l.address == address && !uv_is_closing(reinterpret_cast<uv_handle_t*>(&l.handle))) {
                l.handle.data = &l;
                uv_close(reinterpret_cast<uv_handle_t*>(&l.handle), [](uv_handle_t* h) {
                    auto& closed = *static_cast<Listener*>(h->data);
                    static_cast<Loop*>(h->loop->data)->listeners.erase(closed.place);
                });
            }
    }

    // Why they are what they are, unless configured. 4,000 connections: were all of them bad, each with half
    // a query here and a full buffer in the kernel, that is some half a gigabyte; a hundred times as many as
    // resolvers keep open, who come for what was truncated. 100 of one client: a farm of resolvers behind one
    // address; and it takes 40 addresses to fill the front. 10 s idle: "a few seconds" (RFC 7766 section
    // 6.2.3), and as long as a client waits for its own answer. 5 min in all: who means well comes again.
    const TcpSettings& limits() const { return snapshot->fixed->settings.tcp; }

    void accept(uv_stream_t* listener) {
        auto& c = *connections.emplace_back(std::make_unique<Connection>());
        c.loop = this;
        c.place = std::prev(connections.end());
        c.opened = c.active = uv_now(&uv);
        ++live;
        uv_tcp_init(&uv, &c.handle);
        c.handle.data = &c;
        if (uv_accept(listener, stream(c)) || !learn_peer(c)) return close(c);
        counters.connections.add(1);
        if (clients[client_of(*c.peer)] > limits().per_client) return close_by(TcpEnd::client, c);
        if (live > limits().connections) close_quietest(); // only for one that stays
        int size = send_buffer;
        uv_send_buffer_size(reinterpret_cast<uv_handle_t*>(&c.handle), &size);
        uv_tcp_nodelay(&c.handle, 1);
        read(c);
    }

    bool learn_peer(Connection& c) {
        sockaddr_storage a{};
        int length = sizeof a;
        if (uv_tcp_getpeername(&c.handle, reinterpret_cast<sockaddr*>(&a), &length)) return false;
        c.peer = from_sockaddr(reinterpret_cast<sockaddr*>(&a)).ip;
        ++clients[client_of(*c.peer)];
        return true;
    }

    void forget_peer(Connection& c) {
        if (!c.peer) return;
        counters.ended.add(1);
        const auto client = clients.find(client_of(*c.peer));
        if (--client->second == 0) clients.erase(client);
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
        unix_time = static_cast<std::uint32_t>(time(nullptr));
        if (!c.partial.empty()) {
            c.partial.insert(c.partial.end(), bytes.begin(), bytes.end());
            bytes = c.partial;
        }
        bool junk = false;
        while (!c.closing && c.waiting <= backlog && bytes.size() >= prefix_size) {
            const std::size_t length = get16(bytes.data());
            junk = length > max_query;
            if (junk || bytes.size() < prefix_size + length) break;
            junk = !answer_one(c, bytes.subspan(prefix_size, length));
            if (junk) break;
            bytes = bytes.subspan(prefix_size + length);
            if (out.size() - used < prefix_size + max_message) write(c);
        }
        if (!c.closing && used) write(c);
        used = 0;
        if (c.closing) return;
        if (junk) return end_junk(c);
        c.partial = bytes.empty() ? std::vector<std::uint8_t>()
                                  : std::vector<std::uint8_t>(bytes.begin(), bytes.end());
        if (c.waiting > backlog) pause(c);
    }

    // False: it is no query.
    bool answer_one(Connection& c, Bytes message) {
        Query query;
        Reply reply;
        const auto idle = static_cast<std::uint16_t>(std::min<long>(limits().idle / 100ms, 0xffff));
        const Client client{*c.peer, Client::Transport::tcp, idle, unix_time};
        const std::span<std::uint8_t> room(&out[used + prefix_size], max_message);
        if (read_query(message, query)) reply = answer(query, message, *snapshot, client, random, room);
        counters.queries.add(1);
        counters.count(reply);
        if (reply.size == 0) return false;
        put16(&out[used], reply.size);
        used += prefix_size + reply.size;
        touch(c);
        return true;
    }

    // Whoever speaks no DNS need not go on; what it asked before that it still gets.
    void end_junk(Connection& c) {
        counters.closed[static_cast<std::size_t>(TcpEnd::junk)].add(1);
        c.partial.clear();
        end(c, true);
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
        if (waiting + bytes.size() > most_waiting) return close_by(TcpEnd::slow, c);
        if (uv_write(&write->request, stream(c), &buf, 1, done)) return close(c);
        write.release();
        c.waiting += bytes.size();
        waiting += bytes.size();
    }

    void written(Connection& c, std::size_t bytes, int status) {
        c.waiting -= bytes;
        waiting -= bytes;
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
        const auto over = [&](std::uint64_t since, Duration limit) {
            return now - since >= static_cast<std::uint64_t>(limit / 1ms);
        };
        for (auto& c : connections) {
            if (c->closing) continue;
            if (over(c->active, limits().idle)) close_by(TcpEnd::idle, *c);
            else if (over(c->opened, limits().total)) close_by(TcpEnd::total, *c);
        }
        handover.refresh(snapshot); // an idle front must not keep an old one alive
    }

    void close_quietest() {
        for (auto& c : connections)
            if (!c->closing) return close_by(TcpEnd::crowd, *c);
    }

    void close_by(TcpEnd why, Connection& c) {
        counters.closed[static_cast<std::size_t>(why)].add(1);
        close(c);
    }

    // The memory goes once libuv has let go of the handle; the list keeps it until then.
    void close(Connection& c) {
        if (c.closing) return;
        c.closing = true;
        --live;
        forget_peer(c);
        uv_close(reinterpret_cast<uv_handle_t*>(&c.handle), [](uv_handle_t* h) {
            auto& closed = *static_cast<Connection*>(h->data);
            closed.loop->connections.erase(closed.place);
        });
    }

    void stop() {
        for (auto& c : connections) close(*c);
        for (auto& l : listeners) stop_listening(l.address);
        uv_close(reinterpret_cast<uv_handle_t*>(&sweep), nullptr);
        uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
    }

    Handover& handover;
    Random random;
    std::uint32_t unix_time = 0;
    SnapshotPtr snapshot;
    Counters counters;
    uv_loop_t uv;
    uv_async_t wake;
    uv_timer_t sweep;
    std::list<Listener> listeners;
    std::mutex mutex;
    std::vector<std::function<void()>> jobs; // under the mutex
    Connections connections;
    std::size_t live = 0;                  // connections not being closed
    std::map<IpAddress, unsigned> clients; // and whose they are
    std::size_t waiting = 0;               // octets of answers, over all connections
    std::vector<std::uint8_t> read_buffer;
    std::vector<std::uint8_t> out; // answers, as they will be sent; there is always room for one more
    std::size_t used = 0;          // octets of `out`
};

TcpFront::TcpFront(Handover& handover, std::uint64_t seed)
    : loop_(std::make_unique<Loop>(handover, seed)),
      thread_(start_thread("dns-tcp", [this] { uv_run(&loop_->uv, UV_RUN_DEFAULT); })) {}

TcpFront::~TcpFront() {
    loop_->post([this] { loop_->stop(); });
    thread_.join();
}

std::string TcpFront::add(Socket socket) {
    const std::string where = bound_address(socket).to_string();
    if (::listen(socket.fd(), listen_backlog)) // here, where it can still be told
        return where + " (TCP): cannot listen: " + std::strerror(errno);
    auto owned = std::make_shared<Socket>(std::move(socket));
    loop_->post([this, owned] { loop_->listen(std::move(*owned)); });
    return {};
}

void TcpFront::remove(const SocketAddress& address) {
    // Once it is done: the address may come back at once, and be bound again.
    const auto done = std::make_shared<std::promise<void>>();
    loop_->post([this, address, done] {
        loop_->stop_listening(address);
        done->set_value();
    });
    done->get_future().wait();
}

const Counters& TcpFront::counters() const { return loop_->counters; }

} // namespace fairway::dns
