#include "dns/tcp_loop.hpp"

#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>

namespace fairway::dns {
namespace {

// Of answers to one client in the kernel, which would else take megabytes for each.
constexpr int send_buffer = 64 * 1024;

// Descriptors that are left to checks, the control socket and hooks: as many as those need at a time.
constexpr rlim_t reserve = 64;

// Who counts as one client: an address, of IPv6 the /64 that a host may have for itself.
IpAddress client_of(IpAddress address) {
    if (address.family == Family::v6)
        std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
    return address;
}

} // namespace

// ------------------------------------------------------------ listening and accepting

// The kernel listens already: what can fail has failed in add().
void TcpFront::Loop::listen(Socket socket) {
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

void TcpFront::Loop::stop_listening(const SocketAddress& address) {
    for (auto& l : listeners)
        if (l.address == address && !uv_is_closing(reinterpret_cast<uv_handle_t*>(&l.handle))) {
            l.handle.data = &l;
            uv_close(reinterpret_cast<uv_handle_t*>(&l.handle), [](uv_handle_t* h) {
                auto& closed = *static_cast<Listener*>(h->data);
                static_cast<Loop*>(h->loop->data)->listeners.erase(closed.place);
            });
        }
}

std::vector<Socket> TcpFront::Loop::sockets() const {
    std::vector<Socket> all;
    for (const auto& l : listeners) {
        uv_os_fd_t fd = -1;
        if (uv_fileno(reinterpret_cast<const uv_handle_t*>(&l.handle), &fd)) continue; // being closed
        if (Socket copy(fcntl(fd, F_DUPFD_CLOEXEC, 0)); copy) all.push_back(std::move(copy));
    }
    return all;
}

void TcpFront::Loop::accept(uv_stream_t* listener) {
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
    if (last_descriptors(c)) bearable = live - 1;
    if (live > std::min<std::size_t>(limits().connections, bearable))
        close_quietest(); // only for one that stays
    int size = send_buffer;
    uv_send_buffer_size(reinterpret_cast<uv_handle_t*>(&c.handle), &size);
    uv_tcp_nodelay(&c.handle, 1);
    read(c);
}

// The kernel gives the lowest number that is free: a high one says that few are.
bool TcpFront::Loop::last_descriptors(const Connection& c) {
    rlimit limit{};
    uv_os_fd_t fd = -1;
    uv_fileno(reinterpret_cast<const uv_handle_t*>(&c.handle), &fd);
    getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<rlim_t>(fd) + std::min<rlim_t>(reserve, limit.rlim_cur / 4) >= limit.rlim_cur;
}

bool TcpFront::Loop::learn_peer(Connection& c) {
    sockaddr_storage a{};
    int length = sizeof a;
    if (uv_tcp_getpeername(&c.handle, reinterpret_cast<sockaddr*>(&a), &length)) return false;
    c.peer = from_sockaddr(reinterpret_cast<sockaddr*>(&a)).ip;
    ++clients[client_of(*c.peer)];
    return true;
}

void TcpFront::Loop::forget_peer(Connection& c) {
    if (!c.peer) return;
    counters.ended.add(1);
    const auto client = clients.find(client_of(*c.peer));
    if (--client->second == 0) clients.erase(client);
}

// ------------------------------------------------------------ limits and closing

void TcpFront::Loop::touch(Connection& c) {
    c.active = uv_now(&uv);
    connections.splice(connections.end(), connections, c.place);
}

void TcpFront::Loop::enforce_limits() {
    const std::uint64_t now = uv_now(&uv);
    const auto over = [&](std::uint64_t since, Duration limit) {
        return now - since >= static_cast<std::uint64_t>(limit / 1ms);
    };
    for (auto& c : connections) {
        if (c->closing) continue;
        if (over(c->active, limits().idle)) close_by(TcpEnd::idle, *c);
        else if (over(c->opened, limits().total)) close_by(TcpEnd::total, *c);
    }
    if (live < bearable / 2) bearable = SIZE_MAX; // there may be more again
    handover.refresh(snapshot);                   // an idle front must not keep an old one alive
}

void TcpFront::Loop::close_quietest() {
    for (auto& c : connections)
        if (!c->closing) return close_by(TcpEnd::crowd, *c);
}

void TcpFront::Loop::close_by(TcpEnd why, Connection& c) {
    counters.closed[static_cast<std::size_t>(why)].add(1);
    close(c);
}

// The memory goes once libuv has let go of the handle; the list keeps it until then.
void TcpFront::Loop::close(Connection& c) {
    if (c.closing) return;
    c.closing = true;
    --live;
    forget_peer(c);
    uv_close(reinterpret_cast<uv_handle_t*>(&c.handle), [](uv_handle_t* h) {
        auto& closed = *static_cast<Connection*>(h->data);
        closed.loop->connections.erase(closed.place);
    });
}

void TcpFront::Loop::stop() {
    for (auto& c : connections) close(*c);
    for (auto& l : listeners) stop_listening(l.address);
    uv_close(reinterpret_cast<uv_handle_t*>(&sweep), nullptr);
    uv_close(reinterpret_cast<uv_handle_t*>(&wake), nullptr);
}

} // namespace fairway::dns
