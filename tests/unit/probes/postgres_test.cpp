// The postgres check against a server that speaks just enough of the protocol. A real one: tests/integration.
#include "probes/uv_loop.hpp"
#include "probes/worker.hpp"
#include "tests/unit/probes/once.hpp"

#include <array>
#include <future>

using namespace fairway;
using namespace fairway::probes;
using namespace fairway::testing;

namespace {

std::string be(std::uint32_t n, int bytes) {
    std::string s;
    for (int i = bytes - 1; i >= 0; --i) s += static_cast<char>((n >> (8 * i)) & 0xff);
    return s;
}
std::string message(char type, const std::string& body) {
    return type + be(static_cast<std::uint32_t>(body.size() + 4), 4) + body;
}
std::string zero(const std::string& s) { return s + '\0'; }
std::string error(const std::string& severity, const std::string& state, const std::string& text) {
    return message('E',
                   "S" + zero(severity) + "V" + zero("FATAL") + "C" + zero(state) + "M" + zero(text) + '\0');
}
std::string row(const std::vector<std::string>& values) {
    std::string names = be(static_cast<std::uint32_t>(values.size()), 2), data = names;
    for (const std::string& v : values) {
        names +=
            zero("c") + std::string(6, '\0') + be(25, 4) + be(0xffff, 2) + std::string(4, '\xff') + be(0, 2);
        data += v == "null" ? be(0xffffffff, 4) : be(static_cast<std::uint32_t>(v.size()), 4) + v;
    }
    return message('T', names) + message('D', data) + message('C', zero("SELECT 1"));
}
const std::string ready = message('Z', "I");
const std::string welcome =
    message('R', be(0, 4)) + message('S', zero("server_version") + zero("15.0")) + ready;

PostgresCheck plain() {
    PostgresCheck c;
    c.user = "fairway";
    c.dbname = "postgres";
    c.tls = PostgresCheck::Tls::off;
    return c;
}

/// Takes the startup packet and says this.
FaultServer::Serve greets(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_some();
        p.write(text);
        p.ended();
    };
}

/// A whole session; `goodbye` is what came after the answer.
FaultServer::Serve session(std::vector<std::string> values, std::string& goodbye) {
    return [values = std::move(values), &goodbye](Peer& p) {
        p.read_some();
        p.write(welcome);
        p.read_some();
        p.write(row(values) + ready);
        goodbye = p.read_some();
        p.finish();
    };
}

} // namespace

TEST_CASE("postgres: a primary says who it is, and is told goodbye") {
    std::string goodbye;
    const FaultServer server(session({"f", "off", "7301", "0000000B", "null", "4096"}, goodbye));
    const Observation o = once(plain(), server.port());
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts.role == Role::primary);
    CHECK(o.facts.read_only == false);
    CHECK(o.facts.system == "7301");
    CHECK(o.facts.epoch == 11); // the timeline in a WAL file's name is hexadecimal
    CHECK(o.facts.position == 4096);
}

TEST_CASE("postgres: a healthy standby passes; its role is a fact (L1)") {
    std::string goodbye;
    Observation o;
    {
        const FaultServer server(session({"t", "on", "7301", "null", "3", "9000000000"}, goodbye));
        o = once(plain(), server.port());
    }
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts.role == Role::standby);
    CHECK(o.facts.epoch == 3);
    CHECK(o.facts.position == 9000000000);
    CHECK(goodbye == message('X', "")); // Terminate, not a broken connection
}

TEST_CASE("postgres: what a server says before a session, whatever its language") {
    CHECK_SEEN(against(plain(), greets(error("FATAL", "57P03", "the database system is starting up"))), fail,
               starting);
    CHECK_SEEN(against(plain(), greets(error("FATAL", "57P03", "Das Datenbanksystem fährt herunter"))), fail,
               starting);
    CHECK_SEEN(against(plain(), greets(error("SCHWERWIEGEND", "28P01", "Passwort"))), fail, auth_failure);
    CHECK_SEEN(against(plain(), greets(error("FATAL", "28000", "no pg_hba.conf entry"))), fail, auth_failure);
    CHECK_SEEN(against(plain(), greets(error("FATAL", "53300", "sorry, too many clients already"))), fail,
               bad_response);
    CHECK_SEEN(against(plain(), greets(message('R', be(3, 4)))), fail, auth_failure); // wants a password
}

TEST_CASE("postgres: a session that ends before its answer") {
    CHECK_SEEN(
        against(plain(),
                [](Peer& p) {
                    p.read_some();
                    p.write(welcome);
                    p.read_some();
                    p.write(error("FATAL", "57P01", "terminating connection due to administrator command"));
                    p.finish();
                }),
        fail, closed);
    CHECK_SEEN(against(plain(),
                       [](Peer& p) {
                           p.read_some();
                           p.write(welcome);
                           p.read_some();
                           p.write(
                               error("ERROR", "42501", "permission denied for function pg_control_system") +
                               ready);
                           p.ended();
                       }),
               fail, auth_failure);
    CHECK_SEEN(against(
                   plain(),
                   [](Peer& p) {
                       p.read_some();
                       p.write(welcome);
                   },
                   soon),
               fail, timeout_first_byte);
}

TEST_CASE("postgres: faults of the connection") {
    CHECK_SEEN(once(plain(), DeadPort(DeadPort::Kind::refusing).port()), fail, refused);
    const DeadPort silent(DeadPort::Kind::silent);
    CHECK_SEEN(once(plain(), silent.port(), soon), fail, timeout_connect);
    CHECK_SEEN(against(
                   plain(), [](Peer&) {}, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(against(plain(),
                       [](Peer& p) {
                           p.read_some();
                           p.finish();
                       }),
               fail, closed);
    CHECK_SEEN(against(plain(),
                       [](Peer& p) {
                           p.read_some();
                           p.reset();
                       }),
               fail, reset);
    CHECK_SEEN(against(plain(), greets("HTTP/1.1 400 Bad Request\r\n\r\n")), fail, bad_response);
}

TEST_CASE("postgres: TLS as asked for") {
    const Authority authority;
    PostgresCheck strict = plain();
    strict.tls = PostgresCheck::Tls::verify_full;
    strict.ca_file = authority.file();
    const auto with = [](Certificate c) {
        return [c = std::move(c)](Peer& p) {
            p.read_some(); // SSLRequest
            p.write("S");
            if (!p.start_tls(c)) return;
            p.read_some();
            p.write(error("FATAL", "57P03", "the database system is starting up"));
        };
    };
    CHECK_SEEN(against(strict, with(authority.issue("shop.test", 3600))), fail, starting);
    CHECK_SEEN(against(strict, with(authority.issue("other.test", 3600))), fail, wrong_name);
    CHECK_SEEN(against(strict, with(authority.issue("shop.test", -60))), fail, expired_certificate);
    CHECK_SEEN(against(strict, with(authority.self_signed("shop.test"))), fail, bad_certificate);
    CHECK_SEEN(against(strict, greets("N")), fail, tls_failure);
    CHECK_SEEN(against(
                   strict, [](Peer&) {}, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(against(
                   strict,
                   [](Peer& p) {
                       p.read_some();
                       p.write("S");
                   },
                   soon),
               fail, timeout_tls);
}

TEST_CASE("postgres: a password file that cannot be read is our own fault") {
    PostgresCheck c = plain();
    c.password_file = "/nonexistent/pg.pw";
    CHECK_SEEN(once(c, 1), unknown, internal);
}

namespace {

/// A server and a worker that watches it: the first connection is a look, the second the watch, which stays
/// open.
struct Watched {
    std::promise<Peer*> opened;
    std::atomic<int> connections{0};
    FaultServer server{[this](Peer& p) {
        const bool look = ++connections != 2;
        p.read_some();
        p.write(welcome);
        if (!look) return opened.set_value(&p);
        p.read_some();
        p.write(row({"f", "off", "7301", "0000000B", "null", "4096"}) + ready);
        p.ended();
    }};
    UvLoop control;
    int looks = 0, passes = 0;
    std::optional<ProbeWorker> worker;

    Watched() {
        worker.emplace(
            control,
            [this](std::span<const Observation> batch) {
                for (const Observation& o : batch) {
                    if (o.reason == Reason::local_limit) { // this machine was busy: it was no look
                        worker->look(std::array<MemberId, 1>{0});
                        continue;
                    }
                    ++looks;
                    passes += o.outcome == Outcome::pass;
                    control.stop();
                }
            },
            [](const NameObservation&) {});
        Check check;
        check.kind = plain();
        check.timing.interval = check.timing.retest = 1h; // only what is asked for
        check.timing.timeout = 30s;
        check.watch = true;
        Assignment a;
        a.spec.check = std::make_shared<const Check>(check);
        a.spec.target = IpAddress::parse("127.0.0.1").value();
        a.spec.port = server.port();
        worker->assign({a});
    }
    void run_for_a_look() {
        const auto too_long = control.after(30s, [this] { control.stop(); });
        control.run();
    }
    /// The server's end of the watch.
    Peer& peer() {
        run_for_a_look();
        auto opening = opened.get_future();
        REQUIRE(opening.wait_for(30s) == std::future_status::ready);
        Peer* p = opening.get();
        worker->look(std::array<MemberId, 1>{0}); // a look later it has taken in what was sent before
        run_for_a_look();
        return *p;
    }
};

} // namespace

TEST_CASE("postgres: the watch is a session that is told goodbye") {
    Watched w;
    Peer& watch = w.peer();
    CHECK(w.passes == 2);
    w.worker.reset();
    CHECK(watch.read_some() == message('X', ""));
}

TEST_CASE("postgres: the end of the watch is one look at once, and other news is none") {
    Watched w;
    Peer& watch = w.peer();
    watch.write(message('S', zero("TimeZone") + zero("UTC")) +
                message('N', "S" + zero("NOTICE") + "C" + zero("00000") + "M" + zero("hello") + '\0'));
    w.worker->look(std::array<MemberId, 1>{0});
    w.run_for_a_look();
    CHECK(w.connections == 4); // it is still open: the look was the one asked for
    watch.write(error("FATAL", "57P01", "terminating connection due to administrator command"));
    watch.finish();
    w.run_for_a_look();
    CHECK(w.looks == 4);
    CHECK(w.passes == 4);
    CHECK(w.connections == 5);
}
