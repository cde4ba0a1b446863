#include "probes/worker.hpp"

#include "probes/address_book.hpp"
#include "probes/checks/check.hpp"
#include "probes/glue/curl.hpp"
#include "probes/glue/resolver.hpp"
#include "probes/monitor.hpp"
#include "probes/uv_loop.hpp"
#include "probes/watch.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>

namespace fairway::probes {

namespace {

/// Of the process' descriptors, what DNS over TCP may take at once (dns/tcp_front.hpp), and the rest's:
/// listening sockets, HTTP, files, resolving. With a limit too low for all of it, half is for looking.
constexpr std::size_t reserved_descriptors = 4000 + 512;
constexpr Duration longest_start = 5s; // a start must be decided within 10 s (L20), however long the interval

std::size_t open_limit(std::size_t wanted) {
    rlimit r{};
    if (wanted != 0 || getrlimit(RLIMIT_NOFILE, &r) != 0) return std::max<std::size_t>(wanted, 1);
    const std::size_t limit = r.rlim_cur;
    return limit - std::min(reserved_descriptors, limit / 2);
}

/// Multiples of the golden ratio fill one interval evenly, however many members come and whenever they do.
Duration first_look(MemberId member, const Check& check) {
    const double part = std::fmod(member * 0.6180339887498949, 1.0);
    return std::chrono::duration_cast<Duration>(std::min(check.timing.interval, longest_start) * part);
}

struct Counted {
    explicit Counted(std::size_t& n) : count(n) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& count;
};

/// Signals are the control thread's.
class SignalsBlocked {
  public:
    SignalsBlocked() {
        sigset_t all;
        sigfillset(&all);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) sigdelset(&all, fault);
        pthread_sigmask(SIG_BLOCK, &all, &before_);
    }
    ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

  private:
    sigset_t before_{};
};

/// Which of a name's addresses: the one that passed last; else the next in order, so that one dead address of
/// several is passed over.
class Choice {
  public:
    IpAddress of(const std::vector<IpAddress>& sorted) {
        const auto known = last_ ? std::lower_bound(sorted.begin(), sorted.end(), *last_) : sorted.begin();
        const bool still = known != sorted.end() && last_ == *known;
        auto pick = still && !passed_ ? known + 1 : known;
        if (pick == sorted.end()) pick = sorted.begin();
        passed_ = false;
        last_ = *pick;
        return *pick;
    }
    void passed() { passed_ = true; }

  private:
    std::optional<IpAddress> last_;
    bool passed_ = false;
};

} // namespace

/// All that belongs to the worker's thread. Members of it end in reverse order: the looks before what they
/// use.
class ProbeWorker::Bench {
  public:
    Bench(Loop& control, Sink sink, Options options)
        : control_(control),
          sink_(std::make_shared<Sink>(std::move(sink))),
          max_open_(open_limit(options.max_open)),
          curl_(loop_),
          resolver_(loop_),
          book_(loop_, [this](std::string name) { return resolver_.resolve(std::move(name)); }),
          closing_(loop_) {
        const SignalsBlocked during_creation;
        thread_ = std::thread([this] { loop_.run(); });
    }
    ~Bench() {
        loop_.stop();
        thread_.join();
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    UvLoop& loop() { return loop_; }
    void assign(const std::vector<Assignment>& wanted);
    void look(MemberId id);

  private:
    struct Member {
        ProbeSpec spec;
        Choice choice;
        SocketAddress address; ///< last looked at
        std::unique_ptr<Monitor> monitor;
        std::unique_ptr<Watch> watch; ///< null unless the check asks for one
    };
    void drop_all_but(const std::vector<Assignment>& wanted);
    void take(const Assignment& a);
    Task<Finding> look_at(Member& m, Reason& silence);
    Task<bool> hold(const Member& m, SocketAddress address);
    void report(const Member& m, Observation seen);
    void flush();

    Loop& control_;
    std::shared_ptr<Sink> sink_;
    const std::size_t max_open_;
    std::size_t open_ = 0;    // looks and held connections
    std::size_t holding_ = 0; // held connections
    std::vector<Observation> batch_;
    std::thread thread_;
    UvLoop loop_;
    Curl curl_;
    Resolver resolver_;
    AddressBook book_;
    TaskGroup closing_;
    std::unordered_map<MemberId, Member> members_;
};

void ProbeWorker::Bench::assign(const std::vector<Assignment>& wanted) {
    drop_all_but(wanted);
    resolver_.reload(); // a reload is the operator's way to say that resolv.conf has changed
    for (const Assignment& a : wanted) take(a);
}

void ProbeWorker::Bench::drop_all_but(const std::vector<Assignment>& wanted) {
    std::set<MemberId> ids;
    std::set<std::string> names;
    for (const Assignment& a : wanted) {
        ids.insert(a.member);
        if (const auto* name = std::get_if<std::string>(&a.spec.target)) names.insert(*name);
    }
    std::erase_if(members_, [&](const auto& m) { return !ids.contains(m.first); });
    book_.forget_all_but(names);
}

void ProbeWorker::Bench::take(const Assignment& a) {
    const auto [place, is_new] = members_.try_emplace(a.member, Member{a.spec, {}, {}, {}, {}});
    if (!is_new) return; // an id stands for one spec: it keeps its rhythm
    Member& m = place->second;
    m.monitor = std::make_unique<Monitor>(
        loop_, a.member, a.spec.check, [this, &m](Reason& silence) { return look_at(m, silence); },
        [this, &m](Observation seen) { report(m, std::move(seen)); }, first_look(a.member, *a.spec.check));
    if (!a.spec.check->watch) return;
    m.watch = std::make_unique<Watch>(
        loop_, a.spec.check->timing.interval, [this, &m](SocketAddress to) { return hold(m, to); },
        [&m] { m.monitor->look_now(); });
}

void ProbeWorker::Bench::look(MemberId id) {
    const auto m = members_.find(id);
    if (m != members_.end()) m->second.monitor->look_now();
}

Task<Finding> ProbeWorker::Bench::look_at(Member& m, Reason& silence) {
    if (open_ + closing_.size() >= max_open_)
        co_return because(Reason::local_limit, "too many looks at once");
    const Counted counted(open_);
    const ProbeSpec& spec = m.spec;

    SocketAddress address;
    address.port = spec.port;
    if (const auto* ip = std::get_if<IpAddress>(&spec.target)) {
        address.ip = *ip;
    } else {
        silence = Reason::resolve_failure;
        Task<Resolution> resolving = book_.find(std::get<std::string>(spec.target));
        const Resolution known = co_await resolving;
        if (known.addresses.empty()) co_return because(Reason::resolve_failure, known.error);
        address.ip = m.choice.of(known.addresses);
    }

    m.address = address;
    const Look at{loop_, curl_, closing_, address, spec, silence};
    Task<Finding> looking =
        std::visit([&](const auto& kind) { return probes::look(kind, at); }, spec.check->kind);
    Finding found = co_await looking;
    if (found.outcome == Outcome::pass) m.choice.passed();
    co_return found;
}

/// Held connections take at most half of what may be open: looking goes before noticing.
Task<bool> ProbeWorker::Bench::hold(const Member& m, SocketAddress address) {
    if (holding_ >= max_open_ / 2) co_return false;
    const Counted open(open_), held(holding_);
    Reason silence{};
    const Look at{loop_, curl_, closing_, address, m.spec, silence};
    Task<void> holding =
        std::visit([&](const auto& kind) { return probes::hold(kind, at); }, m.spec.check->kind);
    co_await holding;
    co_return true;
}

void ProbeWorker::Bench::report(const Member& m, Observation seen) {
    if (m.watch) m.watch->seen(seen.outcome, m.address);
    if (batch_.empty()) loop_.post([this] { flush(); });
    batch_.push_back(std::move(seen));
}

void ProbeWorker::Bench::flush() {
    auto batch = std::make_shared<std::vector<Observation>>(std::move(batch_));
    batch_.clear();
    control_.post([to = std::weak_ptr<Sink>(sink_), batch] {
        if (const std::shared_ptr<Sink> sink = to.lock()) (*sink)(*batch);
    });
}

ProbeWorker::ProbeWorker(Loop& control, Sink sink, Options options)
    : bench_(std::make_unique<Bench>(control, std::move(sink), options)) {}

ProbeWorker::~ProbeWorker() = default;

void ProbeWorker::assign(std::vector<Assignment> members) {
    bench_->loop().post([bench = bench_.get(), members = std::move(members)] { bench->assign(members); });
}

void ProbeWorker::look(std::span<const MemberId> members) {
    bench_->loop().post([bench = bench_.get(), ids = std::vector<MemberId>(members.begin(), members.end())] {
        for (const MemberId id : ids) bench->look(id);
    });
}

Duration ProbeWorker::lag() const { return bench_->loop().lag(); }

} // namespace fairway::probes
