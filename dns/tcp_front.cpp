#include "dns/tcp_loop.hpp"
#include "dns/threads.hpp"

#include <cerrno>
#include <cstring>
#include <future>

namespace fairway::dns {
namespace {

// How often limits are looked at; they are exact to this.
constexpr std::uint64_t sweep_ms = 250;
// Libuv reads up to 32 of these from one connection before it looks at the next: some milliseconds of
// queries.
constexpr std::size_t read_size = 16 * 1024;

} // namespace

TcpFront::Loop::Loop(Handover& h, std::uint64_t seed)
    : handover(h), random(seed), read_buffer(read_size), out(2 * (prefix_size + max_message)) {
    handover.refresh(snapshot);
    uv_loop_init(&uv);
    uv_async_init(&uv, &wake, [](uv_async_t* a) { static_cast<Loop*>(a->data)->do_jobs(); });
    uv_timer_init(&uv, &sweep);
    wake.data = sweep.data = uv.data = this;
    uv_timer_start(
        &sweep, [](uv_timer_t* t) { static_cast<Loop*>(t->data)->enforce_limits(); }, sweep_ms, sweep_ms);
}

// ------------------------------------------------------------ what other threads want done

void TcpFront::Loop::post(std::function<void()> job) {
    std::scoped_lock lock(mutex);
    jobs.push_back(std::move(job));
    uv_async_send(&wake);
}

void TcpFront::Loop::do_jobs() {
    std::vector<std::function<void()>> now;
    {
        std::scoped_lock lock(mutex);
        now.swap(jobs);
    }
    for (auto& job : now) job();
}

TcpFront::TcpFront(Handover& handover, std::uint64_t seed)
    : loop_(std::make_unique<Loop>(handover, seed)),
      thread_(start_thread("dns-tcp", [this] { uv_run(&loop_->uv, UV_RUN_DEFAULT); })) {}

TcpFront::~TcpFront() {
    loop_->post([this] { loop_->stop(); });
    thread_.join();
}

std::string TcpFront::add(Socket socket) {
    const std::string where = bound_address(socket).to_string();
    if (::listen(socket.fd(), Loop::listen_backlog)) // here, where it can still be told
        return where + " (TCP): cannot listen: " + std::strerror(errno);
    auto owned = std::make_shared<Socket>(std::move(socket));
    loop_->post([this, owned] { loop_->listen(std::move(*owned)); });
    return {};
}

void TcpFront::Loop::post_and_wait(std::function<void()> job) {
    const auto done = std::make_shared<std::promise<void>>();
    post([job = std::move(job), done] {
        job();
        done->set_value();
    });
    done->get_future().wait();
}

void TcpFront::remove(const SocketAddress& address) {
    // Once it is done: the address may come back at once, and be bound again.
    loop_->post_and_wait([this, address] { loop_->stop_listening(address); });
}

std::vector<Socket> TcpFront::sockets() {
    std::vector<Socket> all;
    loop_->post_and_wait([this, &all] { all = loop_->sockets(); });
    return all;
}

void TcpFront::leave() {
    loop_->post_and_wait([this] {
        for (auto& l : loop_->listeners) loop_->stop_listening(l.address);
    });
}

const Counters& TcpFront::counters() const { return loop_->counters; }

} // namespace fairway::dns
