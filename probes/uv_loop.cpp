#include "probes/uv_loop.hpp"

#include <uv.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <map>
#include <mutex>
#include <sys/epoll.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace fairway::probes {

namespace {

using Timers = std::multimap<Instant, Loop::Callback*>;

Now clocks() {
    const auto read = [](clockid_t id) {
        timespec t{};
        clock_gettime(id, &t);
        return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
    };
    return {Instant(read(CLOCK_MONOTONIC)),
            WallTime(std::chrono::duration_cast<std::chrono::milliseconds>(read(CLOCK_REALTIME)))};
}

void check(int status, const char* what) {
    if (status < 0) throw std::system_error(-status, std::generic_category(), what);
}

template<class T> uv_handle_t* as_handle(T* h) { return reinterpret_cast<uv_handle_t*>(h); }

/// The worst of the present and of the last whole 10 s: long enough that a scrape sees every stall.
class WorstOfLate {
  public:
    void add(Instant now, Duration late) {
        if (now - since_ >= 10s) {
            last_ = now - since_ < 20s ? this_ : Duration::zero();
            this_ = Duration::zero();
            since_ = now;
        }
        this_ = std::max(this_, late);
        shown_.store(std::max(this_, last_).count(), std::memory_order_relaxed);
    }
    Duration get() const { return Duration(shown_.load(std::memory_order_relaxed)); }

  private:
    Instant since_{};
    Duration this_{}, last_{};
    std::atomic<Duration::rep> shown_{0};
};

struct Watch;

// Descriptors, in an epoll set of our own that libuv waits for as for one descriptor. libuv's own handles for
// descriptors cost five calls into the kernel for each wait; these cost two.
struct Watches {
    struct Place {
        Watch* watch = nullptr;
        std::uint32_t number = 0; // counts its watches: what was seen for an earlier one is not for this
    };
    int set = epoll_create1(EPOLL_CLOEXEC);
    std::vector<Place> places{}; // by descriptor

    Watches() = default;
    ~Watches() { close(set); }
    Watches(const Watches&) = delete;
    Watches& operator=(const Watches&) = delete;
    void add(int fd, unsigned events, Watch& watch);
    void remove(int fd, const Watch& watch);
    void run(Now& now); ///< the callbacks of those that are ready
};

} // namespace

// Handles of libuv may only be freed after a turn of the loop; ours end at once. So each lives on the heap,
// is cut off from our side (data = nullptr) when our handle is destroyed, and is freed by its close callback.
struct UvLoop::Impl {
    uv_loop_t uv{};
    uv_async_t wake{};
    uv_timer_t alarm{};
    uv_poll_t ready{}; // of the descriptors watched
    Now now;
    Timers timers;
    Watches watches;
    WorstOfLate lag;
    std::mutex mutex; // guards posted
    std::vector<Callback> posted;

    bool take_posted(std::vector<Callback>& out) {
        const std::lock_guard lock(mutex);
        out.swap(posted);
        return !out.empty();
    }
    void run_posted();
    void run_timers();
    void arm();
};

void UvLoop::Impl::run_posted() {
    std::vector<Callback> batch;
    take_posted(batch);
    for (Callback& f : batch) {
        now = clocks();
        f();
        f = nullptr; // what it owned ends here, not after the batch
    }
}

void UvLoop::Impl::run_timers() {
    now = clocks();
    const Instant due =
        now.mono; // what falls due during the callbacks waits for the next turn, after the descriptors
    while (!timers.empty() && timers.begin()->first <= due) {
        lag.add(now.mono, now.mono - timers.begin()->first);
        const Callback f = std::exchange(*timers.begin()->second, nullptr);
        timers.erase(timers.begin());
        f();
        now = clocks();
    }
    arm();
}

void UvLoop::Impl::arm() {
    if (timers.empty()) {
        uv_timer_stop(&alarm);
        return;
    }
    uv_update_time(&uv);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers.begin()->first - clocks().mono);
    const auto fire = [](uv_timer_t* t) noexcept { static_cast<Impl*>(t->data)->run_timers(); };
    uv_timer_start(&alarm, fire, static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 0)), 0);
}

namespace {

struct Timer final : Loop::Handle {
    UvLoop::Impl& loop;
    Loop::Callback f;
    Timers::iterator place;

    Timer(UvLoop::Impl& l, Instant when, Loop::Callback cb) : loop(l), f(std::move(cb)) {
        place = loop.timers.emplace(when, &f);
        if (place == loop.timers.begin()) loop.arm();
    }
    ~Timer() override {
        if (f) loop.timers.erase(place); // else it has fired
    }
};

struct Watch final : Loop::Handle {
    UvLoop::Impl& loop;
    const int fd;
    std::shared_ptr<Loop::IoCallback> f; // it may destroy its Watch

    Watch(UvLoop::Impl& l, int descriptor, unsigned events, Loop::IoCallback cb)
        : loop(l), fd(descriptor), f(std::make_shared<Loop::IoCallback>(std::move(cb))) {
        loop.watches.add(fd, events, *this);
    }
    ~Watch() override { loop.watches.remove(fd, *this); }
};

void Watches::add(int fd, unsigned events, Watch& watch) {
    const auto place = static_cast<std::size_t>(fd);
    if (place >= places.size()) places.resize(place + 1);
    epoll_event e{};
    e.events = (events & Loop::readable ? EPOLLIN : 0u) | (events & Loop::writable ? EPOLLOUT : 0u);
    e.data.u64 = std::uint64_t{++places[place].number} << 32 | place;
    check(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0 ? 0 : -errno, "watch");
    places[place].watch = &watch;
}

void Watches::remove(int fd, const Watch& watch) {
    Place& p = places[static_cast<std::size_t>(fd)];
    if (p.watch != &watch) return; // it could not be added
    p.watch = nullptr;
    epoll_ctl(set, EPOLL_CTL_DEL, fd, nullptr);
}

void Watches::run(Now& now) {
    std::array<epoll_event, 256> seen; // more wait for the next turn
    const int n = epoll_wait(set, seen.data(), seen.size(), 0);
    for (int i = 0; i < n; ++i) {
        const epoll_event& e = seen[static_cast<std::size_t>(i)];
        const Place& p = places[e.data.u64 & 0xffffffff];
        if (!p.watch || p.number != e.data.u64 >> 32) continue;
        const unsigned events = (e.events & EPOLLIN ? Loop::readable : Loop::none) |
                                (e.events & EPOLLOUT ? Loop::writable : Loop::none);
        const bool broken = (e.events & (EPOLLERR | EPOLLHUP)) != 0;
        now = clocks();
        const std::shared_ptr<Loop::IoCallback> f = p.watch->f;
        (*f)(broken ? unsigned{Loop::readable | Loop::writable} : events);
    }
}

struct Signal final : Loop::Handle {
    struct Uv {
        uv_signal_t handle;
        UvLoop::Impl* loop;
        Loop::Callback f;
    };
    Uv* signal;

    Signal(UvLoop::Impl& loop, int number, Loop::Callback f) : signal(new Uv{{}, &loop, std::move(f)}) {
        const int status = uv_signal_init(&loop.uv, &signal->handle);
        if (status < 0) delete signal;
        check(status, "signal");
        signal->handle.data = signal;
        uv_signal_start(&signal->handle, &Signal::seen, number);
    }
    ~Signal() override {
        uv_signal_stop(&signal->handle);
        signal->handle.data = nullptr;
        uv_close(as_handle(&signal->handle),
                 [](uv_handle_t* h) noexcept { delete reinterpret_cast<Uv*>(h); });
    }
    static void seen(uv_signal_t* h, int) noexcept {
        auto* s = static_cast<Uv*>(h->data);
        if (!s) return;
        s->loop->now = clocks();
        s->f();
    }
};

} // namespace

UvLoop::UvLoop() : impl_(std::make_unique<Impl>()) {
    check(uv_loop_init(&impl_->uv), "event loop");
    check(uv_async_init(&impl_->uv, &impl_->wake,
                        [](uv_async_t* a) noexcept { static_cast<Impl*>(a->data)->run_posted(); }),
          "event loop");
    impl_->wake.data = impl_.get();
    uv_timer_init(&impl_->uv, &impl_->alarm);
    impl_->alarm.data = impl_.get();
    check(impl_->watches.set < 0 ? UV_EMFILE : uv_poll_init(&impl_->uv, &impl_->ready, impl_->watches.set),
          "event loop");
    impl_->ready.data = impl_.get();
    uv_poll_start(&impl_->ready, UV_READABLE, [](uv_poll_t* p, int, int) noexcept {
        auto* impl = static_cast<Impl*>(p->data);
        impl->watches.run(impl->now);
    });
    impl_->now = clocks();
}

UvLoop::~UvLoop() {
    for (std::vector<Callback> unrun; impl_->take_posted(unrun); unrun.clear()) {
    } // they may own handles, and post
    assert(impl_->timers.empty());
    uv_close(as_handle(&impl_->wake), nullptr);
    uv_close(as_handle(&impl_->alarm), nullptr);
    uv_close(as_handle(&impl_->ready), nullptr);
    uv_run(&impl_->uv, UV_RUN_DEFAULT); // the close callbacks
    [[maybe_unused]] const int left = uv_loop_close(&impl_->uv);
    assert(left == 0);
}

Now UvLoop::now() const { return impl_->now; }

Loop::HandlePtr UvLoop::at(Instant when, Callback f) {
    return std::make_unique<Timer>(*impl_, when, std::move(f));
}

Loop::HandlePtr UvLoop::watch(int fd, unsigned events, IoCallback f) {
    return std::make_unique<Watch>(*impl_, fd, events, std::move(f));
}

Loop::HandlePtr UvLoop::on_signal(int number, Callback f) {
    return std::make_unique<Signal>(*impl_, number, std::move(f));
}

void UvLoop::post(Callback f) {
    bool first = false;
    {
        const std::lock_guard lock(impl_->mutex);
        first = impl_->posted.empty();
        impl_->posted.push_back(std::move(f));
    }
    if (first) uv_async_send(&impl_->wake);
}

void UvLoop::run() {
    impl_->now = clocks();
    uv_run(&impl_->uv, UV_RUN_DEFAULT);
}

void UvLoop::stop() {
    post([this] { uv_stop(&impl_->uv); });
}

Duration UvLoop::lag() const { return impl_->lag.get(); }

} // namespace fairway::probes
