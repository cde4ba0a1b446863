#include "probes/glue/resolver.hpp"

#include "probes/async/wait.hpp"

#include <ares.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <netinet/in.h>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace fairway::probes {

namespace {

// A name server is asked again after a second: the default of five would be longer than a look may take.
constexpr int query_timeout_ms = 1000;
constexpr int query_tries = 3;

using Answer = Completion<Resolution>;

std::optional<IpAddress> address_of(const sockaddr* a) {
    IpAddress ip;
    if (a->sa_family == AF_INET) {
        ip.family = Family::v4;
        std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in*>(a)->sin_addr, 4);
    } else if (a->sa_family == AF_INET6) {
        ip.family = Family::v6;
        std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(a)->sin6_addr, 16);
    } else {
        return std::nullopt;
    }
    return ip;
}

Resolution read(int status, const ares_addrinfo* info) {
    Resolution r;
    r.answered = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    if (status != ARES_SUCCESS || !info) {
        r.error = ares_strerror(status);
        return r;
    }
    int ttl = INT_MAX;
    for (const ares_addrinfo_node* n = info->nodes; n; n = n->ai_next) {
        ttl = std::min(ttl, n->ai_ttl);
        if (const auto ip = address_of(n->ai_addr)) r.addresses.push_back(*ip);
    }
    r.ttl = std::chrono::seconds(ttl == INT_MAX ? 0 : ttl);
    if (r.addresses.empty()) r.error = "no address";
    return r;
}

} // namespace

struct Resolver::Impl {
    Loop& loop;
    ares_channel channel = nullptr;
    std::unordered_map<ares_socket_t, Loop::HandlePtr> watches;
    Loop::HandlePtr timer;

    explicit Impl(Loop& l);
    ~Impl() { ares_destroy(channel); } // each callback still comes, with ARES_EDESTRUCTION
    void watch(ares_socket_t s, unsigned events);
    void process(ares_socket_t readable, ares_socket_t writable);
    void arm();
};

Resolver::Impl::Impl(Loop& l) : loop(l) {
    static std::once_flag once;
    std::call_once(once, [] { ares_library_init(ARES_LIB_INIT_ALL); });
    ares_options o{};
    o.timeout = query_timeout_ms;
    o.tries = query_tries;
    o.sock_state_cb = [](void* self, ares_socket_t s, int readable, int writable) noexcept {
        static_cast<Impl*>(self)->watch(s, (readable ? Loop::readable : Loop::none) |
                                               (writable ? Loop::writable : Loop::none));
    };
    o.sock_state_cb_data = this;
    const int status =
        ares_init_options(&channel, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) throw std::runtime_error(std::string("c-ares: ") + ares_strerror(status));
}

void Resolver::Impl::watch(ares_socket_t s, unsigned events) {
    watches.erase(s); // before c-ares closes it, and before it is watched anew
    if (events == Loop::none) return;
    watches[s] = loop.watch(s, events, [this, s](unsigned seen) {
        process(seen & Loop::readable ? s : ARES_SOCKET_BAD, seen & Loop::writable ? s : ARES_SOCKET_BAD);
    });
}

void Resolver::Impl::process(ares_socket_t readable, ares_socket_t writable) {
    ares_process_fd(channel, readable, writable);
    arm();
}

void Resolver::Impl::arm() {
    timeval left{};
    timer.reset();
    if (!ares_timeout(channel, nullptr, &left)) return;
    const Duration d = std::chrono::seconds(left.tv_sec) + std::chrono::microseconds(left.tv_usec);
    timer = loop.after(d, [this] { process(ARES_SOCKET_BAD, ARES_SOCKET_BAD); });
}

Resolver::Resolver(Loop& loop) : loop_(loop), impl_(std::make_unique<Impl>(loop)) {}
Resolver::~Resolver() = default;

void Resolver::reload() {
    impl_.reset();
    impl_ = std::make_unique<Impl>(loop_);
}

Task<Resolution> Resolver::resolve(std::string name) { return ask(std::move(name), AF_UNSPEC); }

Task<Resolution> Resolver::resolve(std::string name, Family family) {
    return ask(std::move(name), family == Family::v4 ? AF_INET : AF_INET6);
}

Task<Resolution> Resolver::ask(std::string name, int family) {
    Answer answer(loop_);
    ares_addrinfo_hints hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = ARES_AI_NOSORT; // sorting would open a socket for each address
    const auto callback = [](void* arg, int status, int, ares_addrinfo* info) noexcept {
        const std::unique_ptr<Answer::Setter> set(static_cast<Answer::Setter*>(arg));
        (*set)(read(status, info));
        if (info) ares_freeaddrinfo(info);
    };
    ares_getaddrinfo(impl_->channel, name.c_str(), nullptr, &hints, callback,
                     new Answer::Setter(answer.setter()));
    impl_->arm();
    Resolution r = co_await answer;
    co_return r;
}

} // namespace fairway::probes
