#include "probes/worker.hpp"

#include "probes/async/race.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"
#include "probes/monitor.hpp"
#include "probes/name_watch.hpp"
#include "probes/uv_loop.hpp"
#include "probes/watch.hpp"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <map>
#include <set>
#include <sys/resource.h>
#include <thread>
#include <unordered_map>

namespace fairway::probes {

namespace {

/// Of the process' descriptors, what DNS over TCP may take at once (dns/tcp_front.hpp), and the rest's:
/// listening sockets, HTTP, files, resolving. With a limit too low for all of it, half is for looking.
constexpr std::size_t reserved_descriptors = 4000 + 512;
/// Of several addresses looked at as one: before the whole look's time is up, each says what it waits for.
constexpr Duration own_limit = 5ms;

std::size_t open_limit(std::size_t wanted) {
    rlimit r{};
    if (wanted != 0 || getrlimit(RLIMIT_NOFILE, &r) != 0) return std::max<std::size_t>(wanted, 1);
    const std::size_t limit = r.rlim_cur;
    return (limit - std::min(reserved_descriptors, limit / 2)) / 5 * 4; // the fifth is for kept connections
}

/// Multiples of the golden ratio fill one interval evenly, however many members come and whenever they do.
Duration first_look(MemberId member, const Check& check) {
    const double part = std::fmod(member * 0.6180339887498949, 1.0);
    return std::chrono::duration_cast<Duration>(std::min(check.timing.interval, longest_start) * part);
}

/// A failure tells more than not knowing, and that more than passing somehow.
Finding worst(std::vector<Finding> all) {
    const auto rank = [](const Finding& f) {
        switch (f.outcome) {
        case Outcome::fail: return 0;
        case Outcome::unknown: return 1;
        case Outcome::degraded: return 2;
        case Outcome::pass: break;
        }
        return f.reason == Reason::ok ? 4 : 3; // 3: with a warning
    };
    return std::move(*std::min_element(all.begin(), all.end(),
                                       [&](const auto& a, const auto& b) { return rank(a) < rank(b); }));
}

struct Counted {
    explicit Counted(std::size_t& n) : count(n) { ++count; }
    ~Counted() { --count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& count;
};

/// The turns at a target, kept while somebody holds or awaits one.
struct Visit {
    using Targets = std::map<SocketAddress, Slots>;
    Visit(Targets& all, const SocketAddress& where, Loop& loop, std::size_t at_once)
        : targets(all), place(all.try_emplace(where, loop, at_once).first), turns(place->second) {}
    ~Visit() {
        if (turns.idle()) targets.erase(place);
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    Targets& targets;
    Targets::iterator place;
    Slots& turns;
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

/// Not of an address: Prometheus is asked about the datacenter, whose name is no host's.
bool of_whole_site(const ProbeSpec& spec) {
    const auto* name = std::get_if<std::string>(&spec.target);
    return name && *name == spec.datacenter && std::holds_alternative<PrometheusCheck>(spec.check->kind);
}

} // namespace

std::set<std::string> names_of(std::span<const Assignment> members) {
    std::set<std::string> names;
    for (const Assignment& a : members) {
        const auto* name = std::get_if<std::string>(&a.spec.target);
        if (name && !of_whole_site(a.spec)) names.insert(*name);
        const auto asked = std::visit([](const auto& kind) { return name_asked(kind); }, a.spec.check->kind);
        if (asked) names.insert(*asked);
    }
    return names;
}

/// All that belongs to the worker's thread. Members of it end in reverse order: the looks before what they
/// use.
class ProbeWorker::Bench {
  public:
    Bench(Loop& control, Sink sink, NameSink names, Options options)
        : control_(control),
          sink_(std::make_shared<Sink>(std::move(sink))),
          name_sink_(std::make_shared<NameSink>(std::move(names))),
          max_open_(std::max<std::size_t>(open_limit(options.max_open) / options.threads, 1)),
          per_target_(options.per_target),
          tools_(loop_, std::max<std::size_t>(max_open_ / 4, 1)),
          names_(
              loop_,
              [this](std::string name, Family f) { return tools_.resolver.resolve(std::move(name), f); },
              [this](NameObservation seen) { report(std::move(seen)); }) {
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
    void resolve(const std::vector<std::string>& names) { names_.follow(names); }

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
    Task<Finding> look_at_address(const ProbeSpec& spec, SocketAddress address, Reason& silence);
    Task<Finding> look_at_all(const ProbeSpec& spec, std::vector<IpAddress> addresses, Instant deadline,
                              Reason& silence);
    Task<void> look_into(Finding& found, const ProbeSpec& spec, SocketAddress address, Instant deadline,
                         std::size_t& left, Completion<bool>::Setter done);
    Task<bool> hold(const Member& m, SocketAddress address);
    void report(const Member& m, Observation seen);
    void report(NameObservation seen);
    void flush();

    Loop& control_;
    std::shared_ptr<Sink> sink_;
    std::shared_ptr<NameSink> name_sink_;
    const std::size_t max_open_;
    const std::size_t per_target_;
    std::size_t open_ = 0;    // looks and held connections
    std::size_t holding_ = 0; // held connections
    std::vector<Observation> batch_;
    std::thread thread_;
    UvLoop loop_;
    Tools tools_;
    NameWatch names_;
    Visit::Targets targets_; // those that are being looked at
    std::unordered_map<MemberId, Member> members_;
};

void ProbeWorker::Bench::assign(const std::vector<Assignment>& wanted) {
    drop_all_but(wanted);
    tools_.reload(); // it is the operator's way to say that resolv.conf or certificates have changed
    for (const Assignment& a : wanted) take(a);
}

void ProbeWorker::Bench::drop_all_but(const std::vector<Assignment>& wanted) {
    std::set<MemberId> ids;
    for (const Assignment& a : wanted) ids.insert(a.member);
    std::erase_if(members_, [&](const auto& m) { return !ids.contains(m.first); });
    tools_.book.forget_all_but(names_of(wanted));
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
    if (open_ + tools_.closing.size() >= max_open_)
        co_return because(Reason::local_limit, "too many looks at once");
    const Counted counted(open_);
    if (const auto* ip = std::get_if<IpAddress>(&m.spec.target)) {
        Task<Finding> looking = look_at_address(m.spec, m.address = {*ip, m.spec.port}, silence);
        Finding found = co_await looking;
        co_return found;
    }
    const std::string& name = std::get<std::string>(m.spec.target);
    if (of_whole_site(m.spec)) {
        Task<Finding> looking = look_at_address(m.spec, m.address = {}, silence);
        Finding found = co_await looking;
        co_return found;
    }
    silence = Reason::resolve_failure;
    const Instant begun = loop_.now().mono;
    Task<Resolution> resolving = tools_.book.find(name);
    const Resolution known = co_await resolving;
    if (known.addresses.empty()) co_return because(Reason::resolve_failure, known.error);
    if (m.spec.check->all_addresses) {
        m.address = {known.addresses.front(), m.spec.port}; // the one a watch is kept with
        Task<Finding> looking =
            look_at_all(m.spec, known.addresses, begun + m.spec.check->timing.timeout, silence);
        Finding found = co_await looking;
        co_return found;
    }
    m.address = {m.choice.of(known.addresses), m.spec.port};
    Task<Finding> looking = look_at_address(m.spec, m.address, silence);
    Finding found = co_await looking;
    if (found.outcome == Outcome::pass) m.choice.passed();
    co_return found;
}

/// One look at one address, in its turn there: whoever has a hundred services behind one address is not to be
/// met by a hundred connections at the same moment.
Task<Finding> ProbeWorker::Bench::look_at_address(const ProbeSpec& spec, SocketAddress address,
                                                  Reason& silence) {
    silence = Reason::local_limit; // while it waits its turn
    const Visit visit(targets_, address, loop_, per_target_);
    const Slots::Held held = co_await visit.turns.take();
    const Look at{tools_, address, spec, silence};
    Task<Finding> looking =
        std::visit([&](const auto& kind) { return probes::look(kind, at); }, spec.check->kind);
    Finding found = co_await looking;
    co_return found;
}

/// All of a name's addresses at once; the worst is what is told.
Task<Finding> ProbeWorker::Bench::look_at_all(const ProbeSpec& spec, std::vector<IpAddress> addresses,
                                              Instant deadline, Reason& silence) {
    silence = Reason::internal; // each has its own time limit
    std::vector<Finding> found(addresses.size());
    std::size_t left = addresses.size();
    Completion<bool> done(loop_);
    TaskGroup looks(loop_);
    for (std::size_t i = 0; i < addresses.size(); ++i)
        looks.spawn(
            look_into(found[i], spec, {addresses[i], spec.port}, deadline - own_limit, left, done.setter()));
    co_await done;
    co_return worst(std::move(found));
}

Task<void> ProbeWorker::Bench::look_into(Finding& found, const ProbeSpec& spec, SocketAddress address,
                                         Instant deadline, std::size_t& left, Completion<bool>::Setter done) {
    Reason silence = Reason::internal;
    try {
        if (open_ + tools_.closing.size() >= max_open_) {
            found = because(Reason::local_limit, "too many looks at once");
        } else {
            const Counted counted(open_);
            Task<Finding> looking = look_at_address(spec, address, silence);
            Task<std::optional<Finding>> limited = with_deadline(loop_, deadline, std::move(looking));
            std::optional<Finding> in_time = co_await limited;
            found = in_time ? std::move(*in_time) : because(silence, "no whole answer in time");
        }
    } catch (const std::exception& e) { found = because(Reason::internal, e.what()); }
    found.detail = printable(address.ip.to_string() + ": " + found.detail);
    if (--left == 0) done(true);
}

/// Held connections take at most half of what may be open: looking goes before noticing.
Task<bool> ProbeWorker::Bench::hold(const Member& m, SocketAddress address) {
    if (holding_ >= max_open_ / 2) co_return false;
    const Counted open(open_), held(holding_);
    Reason silence{};
    const Look at{tools_, address, m.spec, silence};
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

void ProbeWorker::Bench::report(NameObservation seen) {
    control_.post([to = std::weak_ptr<NameSink>(name_sink_), seen = std::move(seen)] {
        if (const std::shared_ptr<NameSink> sink = to.lock()) (*sink)(seen);
    });
}

void ProbeWorker::Bench::flush() {
    auto batch = std::make_shared<std::vector<Observation>>(std::move(batch_));
    batch_.clear();
    control_.post([to = std::weak_ptr<Sink>(sink_), batch] {
        if (const std::shared_ptr<Sink> sink = to.lock()) (*sink)(*batch);
    });
}

ProbeWorker::ProbeWorker(Loop& control, Sink sink, NameSink names, Options options) {
    for (unsigned i = 0; i < options.threads; ++i)
        benches_.push_back(std::make_unique<Bench>(control, sink, names, options));
}

ProbeWorker::~ProbeWorker() = default;

void ProbeWorker::assign(std::vector<Assignment> members) {
    std::vector<std::vector<Assignment>> parts(benches_.size());
    bench_of_.clear();
    for (Assignment& a : members) {
        const std::size_t place = std::hash<std::string>()(a.spec.target_text()) % benches_.size();
        bench_of_[a.member] = place;
        parts[place].push_back(std::move(a));
    }
    for (std::size_t i = 0; i < benches_.size(); ++i)
        benches_[i]->loop().post(
            [bench = benches_[i].get(), part = std::move(parts[i])] { bench->assign(part); });
}

void ProbeWorker::look(std::span<const MemberId> members) {
    std::vector<std::vector<MemberId>> parts(benches_.size());
    for (const MemberId id : members)
        if (const auto at = bench_of_.find(id); at != bench_of_.end()) parts[at->second].push_back(id);
    for (std::size_t i = 0; i < benches_.size(); ++i)
        if (!parts[i].empty())
            benches_[i]->loop().post([bench = benches_[i].get(), ids = std::move(parts[i])] {
                for (const MemberId id : ids) bench->look(id);
            });
}

void ProbeWorker::resolve(std::vector<std::string> names) { // one thread is enough for names
    benches_.front()->loop().post(
        [bench = benches_.front().get(), names = std::move(names)] { bench->resolve(names); });
}

Duration ProbeWorker::lag() const {
    Duration worst{};
    for (const auto& bench : benches_) worst = std::max(worst, bench->loop().lag());
    return worst;
}

} // namespace fairway::probes
