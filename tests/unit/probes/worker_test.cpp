#include "probes/worker.hpp"

#include "probes/uv_loop.hpp"
#include "tests/unit/probes/fault_server.hpp"
#include "tests/unit/probes/process.hpp"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <fstream>
#include <map>
#include <sched.h>
#include <set>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fairway;
using namespace fairway::probes;
using namespace fairway::testing;

namespace {

Assignment member(MemberId id, std::uint16_t port, CheckKind kind, Duration interval = 100ms,
                  std::variant<IpAddress, std::string> target = IpAddress::parse("127.0.0.1").value()) {
    Check c;
    c.kind = std::move(kind);
    c.timing.interval = interval;
    c.timing.retest = 10ms;
    Assignment a;
    a.member = id;
    a.spec.check = std::make_shared<const Check>(c);
    a.spec.target = std::move(target);
    a.spec.port = port;
    return a;
}

void answer_ok(Peer& p) {
    p.read_until("\r\n\r\n");
    p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    p.ended();
}

/// A worker and the control loop that hears of it.
struct Rig {
    UvLoop control;
    std::vector<Observation> seen;
    std::vector<NameObservation> names;
    std::function<void(const Observation&)> on_seen = [](const Observation&) {};
    std::optional<ProbeWorker> worker;

    explicit Rig(ProbeWorker::Options options = {}) {
        worker.emplace(
            control,
            [this](std::span<const Observation> batch) {
                for (const Observation& o : batch) {
                    if (o.detail.starts_with("this node was")) { // it was busy: that was no look
                        worker->look(std::array{o.member});
                        continue;
                    }
                    seen.push_back(o);
                    on_seen(o);
                }
            },
            [this](const NameObservation& n) {
                names.push_back(n);
                on_seen({});
            },
            options);
    }
    /// Runs the control loop until `done` after an observation.
    void run_until(std::function<bool()> done) {
        on_seen = [this, done = std::move(done)](const Observation&) {
            if (done()) control.stop();
        };
        const auto too_long = control.after(30s, [this] { control.stop(); });
        control.run();
    }
    std::size_t count(MemberId id) const {
        return static_cast<std::size_t>(
            std::count_if(seen.begin(), seen.end(), [&](auto& o) { return o.member == id; }));
    }
};

} // namespace

TEST_CASE("a worker looks at its members and reports in the control loop's thread") {
    const FaultServer web(&answer_ok);
    const FaultServer open([](Peer& p) { p.ended(); });
    const DeadPort dead(DeadPort::Kind::refusing);
    Rig rig;
    const auto control_thread = std::this_thread::get_id();
    rig.worker->assign({member(1, web.port(), HttpCheck{}), member(2, open.port(), TcpCheck{}),
                        member(3, dead.port(), TcpCheck{})});
    rig.run_until([&] {
        CHECK(std::this_thread::get_id() == control_thread);
        return rig.count(1) >= 3 && rig.count(2) >= 3 && rig.count(3) >= 3;
    });
    for (const Observation& o : rig.seen) {
        INFO(o.member << ": " << o.detail);
        CHECK(o.reason == (o.member == 3 ? Reason::refused : Reason::ok));
        CHECK(o.ended >= o.begun);
    }
}

TEST_CASE("a removed member is looked at no more, the others keep their rhythm") {
    const FaultServer a(&answer_ok), b(&answer_ok);
    Rig rig;
    rig.worker->assign({member(1, a.port(), HttpCheck{}, 50ms), member(2, b.port(), HttpCheck{}, 50ms)});
    rig.run_until([&] { return rig.count(1) >= 2 && rig.count(2) >= 2; });
    rig.worker->assign({member(2, b.port(), HttpCheck{}, 50ms)});
    std::size_t later = 0;
    rig.run_until([&] { return rig.seen.back().member == 2 && ++later == 3; });
    const std::size_t ones = rig.count(1);
    const int accepted = a.accepted();
    later = 0;
    rig.run_until([&] { return rig.seen.back().member == 2 && ++later == 10; });
    CHECK(rig.count(1) == ones);
    CHECK(a.accepted() == accepted);
}

TEST_CASE("a look asked for comes at once") {
    const FaultServer open([](Peer& p) { p.ended(); });
    Rig rig;
    rig.worker->assign({member(0, open.port(), TcpCheck{}, 1h)});
    rig.run_until([&] { return rig.count(0) == 1; });
    const std::array<MemberId, 2> ids{0, 99}; // one that is not assigned is passed over
    rig.worker->look(ids);
    rig.run_until([&] { return rig.count(0) == 2; });
    CHECK(rig.count(0) == 2);
}

TEST_CASE("starts are spread over one interval (H9)") {
    const FaultServer open([](Peer& p) { p.finish(); });
    Rig rig;
    std::vector<Assignment> members;
    for (MemberId id = 0; id < 20; ++id) members.push_back(member(id, open.port(), TcpCheck{}, 1s));
    rig.worker->assign(members);
    std::set<MemberId> all;
    rig.run_until([&] {
        all.insert(rig.seen.back().member);
        return all.size() == 20;
    });
    std::map<MemberId, Instant> first;
    for (const Observation& o : rig.seen) first.try_emplace(o.member, o.begun);
    std::vector<Instant> begun;
    for (const auto& [id, t] : first) begun.push_back(t);
    std::sort(begun.begin(), begun.end());
    CHECK(begun.back() - begun.front() > 800ms);
    Duration widest{};
    for (std::size_t i = 1; i < begun.size(); ++i) widest = std::max(widest, begun[i] - begun[i - 1]);
    CHECK(widest < 400ms);
}

TEST_CASE("a target given by name is resolved; one that cannot be is unknown (L3)") {
    const FaultServer open([](Peer& p) { p.ended(); });
    Rig rig;
    rig.worker->assign({member(1, open.port(), TcpCheck{}, 50ms, std::string("127.0.0.1")),
                        member(2, open.port(), TcpCheck{}, 50ms, std::string("not a name"))});
    rig.run_until([&] { return rig.count(1) >= 2 && rig.count(2) >= 2; });
    for (const Observation& o : rig.seen) {
        INFO(o.detail);
        CHECK(o.reason == (o.member == 1 ? Reason::ok : Reason::resolve_failure));
        CHECK(o.outcome == (o.member == 1 ? Outcome::pass : Outcome::unknown));
    }
}

TEST_CASE(
    "addresses are kept for targets' names and for hosts that are asked about targets, and for no others") {
    PrometheusCheck known;
    known.url = "https://prometheus.internal:9090/prom";
    CHECK(names_of(std::vector{
              member(1, 80, TcpCheck{}), member(2, 80, TcpCheck{}, 1s, std::string("db1.internal")),
              member(3, 80, known), member(4, 80, known, 1s, std::string("db2.internal"))}) ==
          std::set<std::string>{"db1.internal", "db2.internal", "prometheus.internal"});
    CHECK(names_of(std::vector{member(1, 80, TcpCheck{})}).empty());
}

TEST_CASE("several threads share the targets out, and each member is looked at by one of them") {
    const FaultServer web(&answer_ok), other(&answer_ok);
    ProbeWorker::Options options;
    options.threads = 3;
    Rig rig(options);
    std::vector<Assignment> members;
    for (MemberId id = 0; id < 20; ++id)
        members.push_back(member(id, id % 2 ? web.port() : other.port(), HttpCheck{}, 10s));
    rig.worker->assign(members);
    rig.worker->look(std::vector<MemberId>{0, 1, 2, 19});
    rig.run_until([&] { return rig.count(0) && rig.count(1) && rig.count(2) && rig.count(19); });
    rig.worker->assign({members[1]});
    rig.worker->look(std::vector<MemberId>{1});
    const std::size_t before = rig.count(1);
    rig.run_until([&] { return rig.count(1) > before; });
}

TEST_CASE("beyond the limit of open looks a look is unknown, and says why") {
    const FaultServer silent([](Peer&) {});
    ProbeWorker::Options options;
    options.max_open = 1;
    Rig rig(options);
    rig.worker->assign(
        {member(1, silent.port(), HttpCheck{}, 50ms), member(2, silent.port(), HttpCheck{}, 50ms)});
    rig.run_until([&] { return rig.seen.size() >= 2; });
    CHECK(rig.seen[0].outcome == Outcome::unknown);
    CHECK(rig.seen[0].reason == Reason::local_limit);
}

TEST_CASE("no more looks at once at one target than its cap; the others wait their turn") {
    const FaultServer web(&answer_ok);
    ProbeWorker::Options options;
    options.per_target = 1;
    Rig rig(options);
    std::vector<Assignment> members;
    for (MemberId id = 0; id < 10; ++id) members.push_back(member(id, web.port(), HttpCheck{}, 20ms));
    rig.worker->assign(members);
    std::set<MemberId> all;
    rig.run_until([&] {
        all.insert(rig.seen.back().member);
        return all.size() == 10;
    });
    CHECK(all.size() == 10);

    const FaultServer silent([](Peer&) {});
    Rig stuck(options);
    Assignment first = member(0, silent.port(), HttpCheck{}, 10s),
               second = member(13, silent.port(), HttpCheck{}, 10s);
    Check hasty = *second.spec.check;
    hasty.timing.timeout = 500ms;
    second.spec.check = std::make_shared<const Check>(hasty);
    stuck.worker->assign({first, second});
    stuck.run_until([&] { return stuck.seen.size() == 2; });
    REQUIRE(stuck.seen.size() == 2);
    const auto of = [&](MemberId id) {
        return *std::find_if(stuck.seen.begin(), stuck.seen.end(), [&](auto& o) { return o.member == id; });
    };
    CHECK(of(0).reason == Reason::timeout_first_byte);
    CHECK(of(13).outcome == Outcome::unknown); // it never came to look: that says nothing of the target
    CHECK(of(13).reason == Reason::local_limit);
}

namespace {

/// What is seen of a name with two addresses, one of them refusing: by one check that takes one of them, and
/// by one that takes all. 0: as it should be.
int look_at_both() {
    const FaultServer web(&answer_ok); // on 127.0.0.1 only
    Rig rig;
    Assignment one = member(1, web.port(), HttpCheck{}, 50ms, std::string("both.test"));
    Assignment all = member(2, web.port(), HttpCheck{}, 50ms, std::string("both.test"));
    Check c = *all.spec.check;
    c.all_addresses = true;
    all.spec.check = std::make_shared<const Check>(c);
    rig.worker->assign({one, all});
    rig.run_until([&] { return rig.count(1) >= 3 && rig.count(2) >= 3; });
    const auto last = [&](MemberId id) -> const Observation& {
        return *std::find_if(rig.seen.rbegin(), rig.seen.rend(), [id](auto& o) { return o.member == id; });
    };
    if (last(1).outcome != Outcome::pass) return 10;
    if (last(2).outcome != Outcome::fail || last(2).reason != Reason::refused) return 11;
    return last(2).detail.starts_with("127.0.0.2: ") ? 0 : 12;
}

} // namespace

TEST_CASE("all addresses of a target's name are looked at where that is asked for, and the worst is told") {
    const pid_t child = fork();
    if (child == 0) { // with an /etc/hosts of its own; EINVAL: in a chroot / is no mount to be made private
        const std::string hosts = "/tmp/fairway-hosts-" + std::to_string(getpid());
        std::ofstream(hosts) << "127.0.0.1 both.test\n127.0.0.2 both.test\n";
        const bool own =
            (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
            (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 || errno == EINVAL) &&
            mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0;
        const int verdict = own ? look_at_both() : 2;
        unlink(hosts.c_str());
        _exit(verdict);
    }
    int status = 0;
    waitpid(child, &status, 0);
    INFO("2: this machine allows no mount namespaces");
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("a worker ends at once with looks under way, and the sink hears nothing after") {
    const FaultServer silent([](Peer&) {});
    Rig rig;
    const DeadPort dead(DeadPort::Kind::refusing);
    std::vector<Assignment> members;
    for (MemberId id = 0; id < 50; ++id)
        members.push_back(member(id, id % 2 ? silent.port() : dead.port(), HttpCheck{}, 10ms));
    rig.worker->assign(members);
    rig.run_until([&] { return rig.seen.size() > 50; });
    rig.worker.reset();
    const std::size_t before = rig.seen.size();
    rig.control.stop();
    rig.control.run();
    CHECK(rig.seen.size() == before);
}

namespace {

void ask_for_watch(Assignment& a, CheckTiming timing) {
    Check c = *a.spec.check;
    c.timing = timing;
    c.watch = true;
    a.spec.check = std::make_shared<const Check>(c);
}

} // namespace

TEST_CASE("watch: a killed process has failed three times within 1 s with defaults (H2)") {
    Process server; // before any thread
    Rig rig;
    constexpr MemberId one = 0, other = 13; // whose first looks come at once
    Assignment tcp = member(one, server.port(), TcpCheck{}), http = member(other, server.port(), HttpCheck{});
    ask_for_watch(tcp, CheckTiming());
    ask_for_watch(http, CheckTiming());
    rig.worker->assign({tcp, http});
    rig.run_until([&] { return rig.count(one) >= 1 && rig.count(other) >= 1; });
    server.accepted(4); // a look and a held connection each
    rig.run_until([&] { return rig.count(one) >= 3 && rig.count(other) >= 3; });
    rig.seen.clear(); // the next looks are almost an interval away

    const auto died = std::chrono::steady_clock::now();
    server.kill();
    const auto fails = [&rig](MemberId id) {
        return std::count_if(rig.seen.begin(), rig.seen.end(),
                             [&](auto& o) { return o.member == id && o.outcome == Outcome::fail; });
    };
    rig.run_until([&] { return fails(one) >= 3 && fails(other) >= 3; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - died;
    REQUIRE(fails(one) >= 3);
    REQUIRE(fails(other) >= 3);
    CHECK(rig.seen.back().reason == Reason::refused);
    MESSAGE("a process killed to the third refusal: " << took.count() << " s");
    CHECK(took < 2s); // twice the bound; without a watch it is 2.3 s at best
    CHECK(took >= 250ms);
}

TEST_CASE("watch: looking goes before noticing where little may be open") {
    const FaultServer web(&answer_ok);
    ProbeWorker::Options options;
    options.max_open = 1;
    Rig rig(options);
    Assignment a = member(0, web.port(), HttpCheck{});
    CheckTiming seldom;
    seldom.interval = 1h;
    ask_for_watch(a, seldom);
    rig.worker->assign({a});
    for (std::size_t n = 1; n <= 3; ++n) {
        rig.run_until([&] { return rig.count(0) == n; });
        rig.worker->look(std::array<MemberId, 1>{0});
    }
    rig.run_until([&] { return rig.count(0) == 4; });
    CHECK(web.accepted() == 4); // each of them served before the next: none was held
}
