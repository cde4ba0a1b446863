// Nothing on the packet path allocates, locks or throws: counted while a big mix of queries is answered,
// first by answer() itself, then by a UDP worker between its two system calls.
//
// A program of its own, because it puts itself before malloc and the locks of the C library.
#include "dns/rate_limit.hpp"
#include "dns/server.hpp"
#include "tests/fuzz/query_world.hpp"

#include <doctest/doctest.h>

#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <atomic>
#include <random>
#include <string_view>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;
using namespace std::chrono_literals;

namespace {

// ---------------------------------------------------------------- counting

enum class Watch { nobody, this_thread, udp_workers };
std::atomic<Watch> watch{Watch::nobody};
std::atomic<unsigned> allocations{0}, locks{0};
thread_local bool watched = false;

bool counts_here() {
    const Watch w = watch.load(std::memory_order_relaxed);
    if (w != Watch::udp_workers) return w == Watch::this_thread && watched;
    char name[17] = {};
    prctl(PR_GET_NAME, name);
    return std::string_view(name) == "dns-udp";
}

void allocated() {
    if (counts_here()) ++allocations;
}
void locked() {
    if (counts_here()) ++locks;
}

struct Watched {
    explicit Watched(Watch w) {
        allocations = locks = 0;
        watched = true;
        watch = w;
    }
    ~Watched() { watch = Watch::nobody; }
};

template<class F> F* real(const char* name) { return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name)); }

} // namespace

// What std::mutex and its like come down to.
extern "C" {
int pthread_mutex_lock(pthread_mutex_t* m) noexcept {
    static auto* const f = real<int(pthread_mutex_t*)>("pthread_mutex_lock");
    locked();
    return f(m);
}
int pthread_mutex_trylock(pthread_mutex_t* m) noexcept {
    static auto* const f = real<int(pthread_mutex_t*)>("pthread_mutex_trylock");
    locked();
    return f(m);
}
int pthread_rwlock_rdlock(pthread_rwlock_t* l) noexcept {
    static auto* const f = real<int(pthread_rwlock_t*)>("pthread_rwlock_rdlock");
    locked();
    return f(l);
}
int pthread_rwlock_wrlock(pthread_rwlock_t* l) noexcept {
    static auto* const f = real<int(pthread_rwlock_t*)>("pthread_rwlock_wrlock");
    locked();
    return f(l);
}
int pthread_cond_wait(pthread_cond_t* c, pthread_mutex_t* m) {
    static auto* const f = real<int(pthread_cond_t*, pthread_mutex_t*)>("pthread_cond_wait");
    locked();
    return f(c, m);
}
}

// A throw allocates its exception, so it is counted with the rest.
#ifndef __has_feature
#define __has_feature(x) 0 // clang's way to say it
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || __has_feature(address_sanitizer) ||     \
    __has_feature(thread_sanitizer)
// Declared by sanitizer/allocator_interface.h, which Debian's g++ comes without.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));
namespace {
[[maybe_unused]] const int hooked = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t) { allocated(); }, [](const volatile void*) { allocated(); });
}
#else
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
void* malloc(std::size_t n) noexcept { return allocated(), __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) noexcept { return allocated(), __libc_calloc(n, size); }
void* realloc(void* p, std::size_t n) noexcept { return allocated(), __libc_realloc(p, n); }
void* aligned_alloc(std::size_t a, std::size_t n) noexcept { return allocated(), __libc_memalign(a, n); }
void free(void* p) noexcept { allocated(), __libc_free(p); }
}
#endif

namespace {

// ---------------------------------------------------------------- what is asked

std::vector<Packet> big_mix(std::size_t count) {
    auto packets = seed_queries();
    const std::size_t seeds = packets.size();
    std::mt19937_64 rng(20261120);
    while (packets.size() < count) {
        Packet p = packets[rng() % seeds];
        for (std::size_t n = rng() % 3; n; --n) p[rng() % p.size()] = static_cast<std::uint8_t>(rng());
        if (rng() % 8 == 0) p.resize(rng() % p.size());
        packets.push_back(std::move(p));
    }
    return packets;
}

// Limited, but not so much that little would be answered.
RateLimitSettings limited() {
    RateLimitSettings s;
    s.rates.fill(1000);
    s.exempt = {*Prefix::parse("192.0.2.0/24")};
    return s;
}

template<class F> bool eventually(F condition) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::yield();
    }
    return true;
}

// Sends them all, a hundred at a time so that none is lost, and waits until the server has seen each.
void flood(const Server& server, const Socket& client, const std::vector<Packet>& packets) {
    std::uint64_t sent = server.counts().udp.queries;
    for (std::size_t i = 0; i < packets.size(); ++i) {
        REQUIRE(send(client.fd(), packets[i].data(), packets[i].size(), 0) ==
                static_cast<ssize_t>(packets[i].size()));
        ++sent;
        if (i % 100 == 99 || i + 1 == packets.size())
            REQUIRE(eventually([&] { return server.counts().udp.queries == sent; }));
        char drained[2048];
        while (recv(client.fd(), drained, sizeof drained, MSG_DONTWAIT) >= 0) {}
    }
}

} // namespace

TEST_CASE("the counters count") {
    std::mutex mutex;
    {
        const Watched w(Watch::this_thread);
        void* volatile memory = ::operator new(7); // volatile: or the optimizer would do without it
        ::operator delete(memory);
    }
    CHECK(allocations > 0);
    {
        const Watched w(Watch::this_thread);
        const std::scoped_lock lock(mutex);
    }
    CHECK(locks == 1);
    {
        const Watched w(Watch::this_thread);
        try {
            throw 1;
        } catch (int) {}
    }
    CHECK(allocations > 0);
}

TEST_CASE("answer() allocates, locks and throws nothing") {
    const auto snapshot = fuzz_world(limited());
    const auto packets = big_mix(50'000);
    RateLimiter limiter(1, 1);
    Random random(1);
    Counters counters;
    std::vector<std::uint8_t> out(max_message);
    const Client clients[] = {{*IpAddress::parse("10.1.2.3"), Client::Transport::udp, 0, 1'700'000'000},
                              {*IpAddress::parse("2001:db8::1"), Client::Transport::udp, 0, 1'700'000'000},
                              {*IpAddress::parse("192.0.2.1"), Client::Transport::tcp, 100, 1'700'000'000}};
    const auto now = RateLimiter::Clock::now();
    {
        const Watched w(Watch::this_thread);
        for (std::size_t i = 0; i < packets.size(); ++i) {
            const Client& client = clients[i % 3];
            const std::span<std::uint8_t> room(out.data(), i % 3 == 2 ? max_message : max_udp);
            Query query;
            Reply reply;
            if (read_query(packets[i], query)) {
                prefetch_names(query, *snapshot);
                prefetch_nodes(query, *snapshot);
                prefetch_services(query, *snapshot);
                reply = answer(query, packets[i], *snapshot, client, random, room);
                if (i % 3 != 2) reply = limiter.limit(reply, query, packets[i], *snapshot, client, now, room);
            }
            counters.count(reply);
        }
    }
    CHECK(allocations == 0);
    CHECK(locks == 0);
    const auto counted = counters.read();
    CHECK(counted.by_rcode[0] > 10'000); // it was a mix
    for (const Rcode r : {Rcode::formerr, Rcode::servfail, Rcode::nxdomain, Rcode::notimp, Rcode::refused,
                          Rcode::badvers, Rcode::badcookie})
        CHECK(counted.by_rcode[static_cast<std::size_t>(r)] > 0);
    CHECK(counted.slipped[0] > 0);
    CHECK(counted.dropped[0] > 0);
}

TEST_CASE("a UDP worker allocates and locks nothing from one batch to the next") {
    DnsSettings settings;
    settings.listen = {*SocketAddress::parse("127.0.0.1:0")};
    settings.threads = 2;
    auto [server, problems] = Server::start(settings, fuzz_world(limited()));
    REQUIRE(server);
    sockaddr_storage to;
    const socklen_t length = to_sockaddr(server->addresses()[0], to);
    const auto packets = big_mix(5'000);
    for (int port = 0; port < 4; ++port) { // both workers
        const Socket client(socket(AF_INET, SOCK_DGRAM, 0));
        REQUIRE(connect(client.fd(), reinterpret_cast<sockaddr*>(&to), length) == 0);
        flood(*server, client, {packets.begin(), packets.begin() + 100}); // the first snapshot is fetched
        const Watched w(Watch::udp_workers);
        flood(*server, client, packets);
        CHECK(allocations == 0);
        CHECK(locks == 0);
    }
    // A new snapshot costs each worker one lock and no memory; so the worker is what was watched.
    const Socket client(socket(AF_INET, SOCK_DGRAM, 0));
    REQUIRE(connect(client.fd(), reinterpret_cast<sockaddr*>(&to), length) == 0);
    const Watched w(Watch::udp_workers);
    REQUIRE(server->publish(fuzz_world(limited(), 2)));
    flood(*server, client, packets);
    CHECK(allocations == 0);
    CHECK(locks >= 1);
    CHECK(locks <= 2);
}
