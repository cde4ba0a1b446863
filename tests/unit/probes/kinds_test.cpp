// What each kind of check asks, and what it makes of an answer. How they fail to get one: fault_matrix_test.
#include "tests/unit/probes/once.hpp"

#include <array>
#include <atomic>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fairway;
using namespace fairway::testing;

namespace {

const SocketAddress nowhere{IpAddress::parse("127.0.0.1").value(), 9};

SocketAddress at(std::uint16_t port) { return {IpAddress::parse("127.0.0.1").value(), port}; }

Check check_of(CheckKind kind) {
    Check c;
    c.name = "once";
    c.kind = std::move(kind);
    c.timing.timeout = 5s;
    return c;
}

FaultServer::Serve body(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" + text);
        p.ended();
    };
}

FaultServer::Serve line(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.write(text);
        p.half_close();
    };
}

} // namespace

TEST_CASE("http: JSON is looked into by pointers, and compared") {
    HttpCheck check;
    const auto is = [&](const char* pointer, const char* comparison) {
        check.json = {{pointer, Comparison::parse(comparison).value()}};
        return check;
    };
    const auto serve = body(R"({"status":"green","nodes":{"up":3},"list":[true,null],"a/b":"~"})");
    CHECK_SEEN(against(is("/status", "green"), serve), pass, ok);
    CHECK_SEEN(against(is("/status", "!= red"), serve), pass, ok);
    CHECK_SEEN(against(is("/nodes/up", ">= 3"), serve), pass, ok);
    CHECK_SEEN(against(is("/nodes/up", "3.0"), serve), pass, ok);
    CHECK_SEEN(against(is("/list/0", "true"), serve), pass, ok);
    CHECK_SEEN(against(is("/a~1b", "~"), serve), pass, ok);
    const Observation few = against(is("/nodes/up", "> 3"), serve);
    CHECK_SEEN(few, fail, body_mismatch);
    CHECK(few.detail == "HTTP 200, /nodes/up is 3, expected > 3");
    CHECK_SEEN(against(is("/status", "< 3"), serve), fail, body_mismatch);
    CHECK_SEEN(against(is("/list/7", "true"), serve), fail, body_mismatch);
    CHECK_SEEN(against(is("/list/x", "true"), serve), fail, body_mismatch);
    CHECK_SEEN(against(is("/status", "green"), body("<html>")), fail, body_mismatch);
    CHECK_SEEN(against(is("/status", "green"), body(std::string(200'000, '['))), fail, oversize_body);
    CHECK_SEEN(against(is("/status", "green"), body(std::string(60'000, '['))), fail, body_mismatch);
}

TEST_CASE("http: a pattern is matched, with a bounded effort") {
    HttpCheck check;
    check.body_regex = R"(^load: [0-4]\.\d+$)";
    CHECK_SEEN(against(check, body("load: 3.14")), pass, ok);
    CHECK_SEEN(against(check, body("load: 5.14")), fail, body_mismatch);
    check.body_regex = "(a+)+$";
    CHECK_SEEN(against(check, body(std::string(60'000, 'a') + "b")), unknown, local_limit);
}

TEST_CASE("http: redirects are followed at this target only, and only where that was asked for") {
    HttpCheck check;
    check.path = "/old";
    check.redirects = 2;
    std::atomic<int> asked = 0;
    std::mutex mutex; // guards to
    std::string to;
    const auto leads_to = [&](std::string where) {
        const std::scoped_lock lock(mutex);
        to = std::move(where);
    };
    const FaultServer server([&](Peer& p) {
        const std::string request = p.read_until("\r\n\r\n");
        ++asked;
        if (request.starts_with("GET /new "))
            return p.write("HTTP/1.1 204 No Content\r\n\r\n"), void(p.ended());
        const std::string where = (std::scoped_lock(mutex), to);
        p.write("HTTP/1.1 301 Moved\r\nLocation: " + where + "\r\nContent-Length: 0\r\n\r\n");
        p.ended();
    });
    leads_to("/new");
    const Observation followed = once(check, server.port());
    CHECK_SEEN(followed, pass, ok);
    CHECK(followed.detail == "HTTP 204 after 1 redirect");
    leads_to("http://shop.test:" + std::to_string(server.port()) + "/new");
    CHECK_SEEN(once(check, server.port()), pass, ok);
    leads_to("http://elsewhere.test/new");
    CHECK_SEEN(once(check, server.port()), fail, redirect);
    leads_to("//shop.test:1/new");
    CHECK_SEEN(once(check, server.port()), fail, redirect);
    CHECK(asked == 6);
    check.redirects = 0;
    leads_to("/new");
    CHECK_SEEN(once(check, server.port()), fail, redirect);
}

TEST_CASE("http: a kept connection is asked again, and a new one made when it has ended") {
    HttpCheck http;
    http.reuse = true;
    std::atomic<int> requests = 0;
    const FaultServer server([&](Peer& p) {
        for (int i = 0; i < 2 && !p.read_until("\r\n\r\n").empty(); ++i, ++requests)
            p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.finish(); // a server that keeps connections for two requests
    });
    const std::vector<Observation> seen = looks(check_of(http), at(server.port()), 5);
    for (const Observation& o : seen) CHECK_SEEN(o, pass, ok);
    CHECK(requests == 5);
    CHECK(server.accepted() == 3);

    http.reuse = false;
    const FaultServer each(body(""));
    looks(check_of(http), at(each.port()), 3);
    CHECK(each.accepted() == 3);
}

TEST_CASE("https: our certificate is shown where one is wanted, and missed where it is not given") {
    const Authority authority;
    const Certificate server = authority.issue("shop.test", 86400 * 90),
                      ours = authority.issue("ns1.test", 3600);
    const auto directory =
        std::filesystem::temp_directory_path() / ("fairway-own-" + std::to_string(getpid()));
    std::filesystem::create_directory(directory);
    std::ofstream(directory / "cert.pem") << ours.cert_pem;
    std::ofstream(directory / "key.pem") << ours.key_pem;
    HttpCheck https;
    https.tls = true;
    https.tls_settings.ca_file = authority.file();
    TlsCheck tls{"", https.tls_settings, {"hello", "alive"}};
    const auto wants_one = [&](Peer& p) {
        if (!p.start_tls(server, authority.file())) return;
        const std::string request = p.read_some();
        p.write(request == "hello" ? "alive" : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    };
    CHECK_SEEN(against(https, wants_one), fail, tls_failure);
    CHECK_SEEN(against(tls, wants_one), fail, tls_failure);
    for (TlsSettings* t : {&https.tls_settings, &tls.tls_settings}) {
        t->cert_file = directory / "cert.pem";
        t->key_file = directory / "key.pem";
    }
    CHECK_SEEN(against(https, wants_one), pass, ok);
    CHECK_SEEN(against(tls, wants_one), pass, ok);
    std::filesystem::remove_all(directory);
    CHECK_SEEN(against(tls, wants_one), unknown, internal);
}

TEST_CASE("a certificate that ends soon is told beside the passing result, never as a failure") {
    const Authority authority;
    HttpCheck https;
    https.tls = true;
    https.tls_settings.ca_file = authority.file();
    const auto with = [&](long days) {
        return [c = authority.issue("shop.test", days * 86400 + 3600)](Peer& p) {
            if (!p.start_tls(c)) return;
            p.read_some();
            p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        };
    };
    const Observation soon_over = against(https, with(13));
    CHECK_SEEN(soon_over, pass, expiring_certificate);
    CHECK(soon_over.detail.find("the certificate ends in 13d") != std::string::npos);
    CHECK(soon_over.facts.certificate_ends.has_value());
    CHECK_SEEN(against(https, with(15)), pass, ok);
    CHECK_SEEN(against(TlsCheck{"", https.tls_settings, {}}, with(13)), pass, expiring_certificate);
    https.tls_settings.expiry_warning = 7 * 24h;
    CHECK_SEEN(against(https, with(13)), pass, ok);
}

TEST_CASE("TLS sessions are resumed where the server allows") {
    const Authority authority;
    const Certificate certificate = authority.issue("shop.test", 86400 * 90);
    HttpCheck https;
    https.tls = true;
    https.tls_settings.ca_file = authority.file();
    TlsCheck tls{"", https.tls_settings, {}};
    std::atomic<int> resumed = 0;
    const FaultServer server([&](Peer& p) {
        if (!p.start_tls(certificate)) return;
        resumed += p.resumed();
        if (!p.read_some().empty()) p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        p.read_some();
        p.finish();
    });
    for (const Observation& o : looks(check_of(https), at(server.port()), 3)) CHECK_SEEN(o, pass, ok);
    CHECK(resumed == 2);
    resumed = 0;
    for (const Observation& o : looks(check_of(tls), at(server.port()), 3)) CHECK_SEEN(o, pass, ok);
    CHECK(resumed == 2);
}

TEST_CASE("tcp: what is expected may come in pieces, before or after something else") {
    const TcpCheck smtp{{"", "220 "}};
    CHECK_SEEN(against(smtp, line("220 mail.test ESMTP\r\n")), pass, ok);
    CHECK_SEEN(against(smtp, line("421 too busy\r\n")), fail, body_mismatch);
    std::string heard;
    CHECK_SEEN(against(TcpCheck{{"PING\r\n", "+PONG"}},
                       [&](Peer& p) {
                           heard = p.read_some();
                           p.write("+PO");
                           p.drip("NG");
                           p.ended();
                       }),
               pass, ok);
    CHECK(heard == "PING\r\n");
}

TEST_CASE("agent: what HAProxy's agents say") {
    const auto says = [](const char* text) { return against(AgentCheck{}, line(text)); };
    CHECK_SEEN(says("up\n"), pass, ok);
    CHECK_SEEN(says("ready up 100%\r\n"), pass, ok);
    const Observation most = says("75%\n");
    CHECK_SEEN(most, pass, ok);
    CHECK(most.facts.weight == 0.75);
    CHECK(says("up,50%,maxconn:30\n").facts.weight == 0.5);
    CHECK(says("300%\n").facts.weight == 1.0);
    CHECK_SEEN(says("50%"), pass, ok); // the end of the connection is the end of the line
    const Observation down = says("down#disk is full\n");
    CHECK_SEEN(down, fail, reported_down);
    CHECK(down.detail == "down#disk is full");
    for (const char* text : {"drain\n", "maint#us\n", "failed\n", "stopped\n", "up 0%\n", "100% drain\n"})
        CHECK_SEEN(says(text), fail, reported_down);
    for (const char* text : {"\n", "hello\n", "-3%\n", "x%\n", "up down-ish\n"})
        CHECK_SEEN(says(text), fail, bad_response);
    std::string heard;
    CHECK_SEEN(against(AgentCheck{"web7\n"},
                       [&](Peer& p) {
                           heard = p.read_some();
                           p.write("up\n");
                           p.ended();
                       }),
               pass, ok);
    CHECK(heard == "web7\n");
}

namespace {

/// A reply to the one question in `request`: flags, and answers of {type, data}.
std::string reply(const std::string& request, const std::string& flags,
                  const std::vector<std::pair<char, std::string>>& answers = {}) {
    std::string r = request;
    r.replace(2, 2, flags);
    r[7] = static_cast<char>(answers.size());
    for (const auto& [type, data] : answers)
        r += std::string("\xc0\x0c\x00", 3) + type + std::string("\x00\x01\x00\x00\x00\x05\x00", 7) +
             static_cast<char>(data.size()) + data;
    return r;
}
const std::string noerror("\x81\x80", 2), nxdomain("\x81\x83", 2), servfail("\x81\x82", 2),
    truncated("\x83\x80", 2);
const std::string a_1("\xc0\x00\x02\x01", 4), a_2("\xc0\x00\x02\x02", 4);

Observation dns(const DnsCheck& check, DatagramServer::Serve serve, Duration timeout = 5s) {
    const DatagramServer server(std::move(serve));
    return once(check, server.port(), timeout);
}

} // namespace

TEST_CASE("dns: rcode and data") {
    DnsCheck check;
    check.name = "shop.test";
    const auto answers = [](std::string flags, std::vector<std::pair<char, std::string>> list = {}) {
        return [=](const std::string& q) { return reply(q, flags, list); };
    };
    const Observation good = dns(check, answers(noerror, {{1, a_1}, {1, a_2}}));
    CHECK_SEEN(good, pass, ok);
    CHECK(good.detail == "NOERROR, 2 records");
    CHECK_SEEN(dns(check, answers(servfail)), fail, wrong_status);
    CHECK_SEEN(dns(check, answers(nxdomain)), fail, wrong_status);
    check.data = {"192.0.2.2"};
    CHECK_SEEN(dns(check, answers(noerror, {{1, a_1}, {1, a_2}})), pass, ok);
    check.data = {"192.0.2.2", "192.0.2.3"};
    const Observation lacks = dns(check, answers(noerror, {{1, a_1}, {1, a_2}}));
    CHECK_SEEN(lacks, fail, body_mismatch);
    CHECK(lacks.detail == "NOERROR, without 192.0.2.3");
    check.data.clear();
    check.rcode = "NXDOMAIN";
    CHECK_SEEN(dns(check, answers(nxdomain)), pass, ok);
    check = DnsCheck{"shop.test", "TXT", "NOERROR", {"\"v=1\""}};
    CHECK_SEEN(dns(check, answers(noerror, {{16, "\x03v=1"}})), pass, ok);
    check = DnsCheck{"shop.test", "CNAME", "NOERROR", {"Other.TEST."}};
    CHECK_SEEN(dns(check, answers(noerror, {{5, std::string("\x05other\x04test\x00", 12)}})), pass, ok);
}

TEST_CASE("dns: what is no reply to the question, and none at all") {
    const DnsCheck check{"shop.test", "A", "NOERROR", {}};
    CHECK_SEEN(once(check, DeadPort(DeadPort::Kind::refusing).port()), fail, refused);
    CHECK_SEEN(dns(
                   check, [](const std::string&) { return std::string(); }, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(dns(check, [](const std::string& q) { return q; }), fail, bad_response); // an echo service
    CHECK_SEEN(dns(check, [](const std::string& q) { return q.substr(0, 2) + "garbage"; }), fail,
               bad_response);
    CHECK_SEEN(dns(check, [](const std::string& q) { return q.substr(0, 2); }), fail, bad_response);
    CHECK_SEEN(dns(
                   check,
                   [](const std::string& q) { return std::string(1, static_cast<char>(q[0] + 1)) + q; },
                   soon),
               fail, timeout_first_byte); // not ours: anybody can send a datagram
    std::atomic<int> asked = 0;
    CHECK_SEEN(dns(
                   check,
                   [&](const std::string& q) {
                       return ++asked < 3 ? std::string() : reply(q, noerror, {{1, a_1}});
                   },
                   1500ms),
               pass, ok); // two datagrams lost
    CHECK(asked == 3);
}

TEST_CASE("dns: a cut answer is asked for again over TCP") {
    const DnsCheck check{"shop.test", "A", "NOERROR", {"192.0.2.1"}};
    const auto over_tcp = [&](const FaultServer::Serve& serve, Duration timeout = 5s) {
        const FaultServer tcp(serve);
        const DatagramServer udp([](const std::string& q) { return reply(q, truncated); }, tcp.port());
        return once(check, tcp.port(), timeout);
    };
    CHECK_SEEN(over_tcp([](Peer& p) {
                   const std::string q = p.read_some();
                   const std::string r = reply(q.substr(2), noerror, {{1, a_1}});
                   p.write(std::string(1, '\0') + static_cast<char>(r.size()) + r.substr(0, 5));
                   p.drip(r.substr(5, 2));
                   p.write(r.substr(7));
                   p.ended();
               }),
               pass, ok);
    CHECK_SEEN(over_tcp([](Peer& p) { p.half_close(); }), fail, closed);
    CHECK_SEEN(over_tcp([](Peer& p) { p.reset(); }), fail, reset);
    CHECK_SEEN(over_tcp([](Peer&) {}, soon), fail, timeout_first_byte);
    CHECK_SEEN(over_tcp([](Peer& p) { p.write(std::string("\x01\x00half", 6)); }, soon), fail, timeout_body);
    CHECK_SEEN(over_tcp([](Peer& p) {
                   p.flood(std::string(1 << 16, '\0'), 1 << 20);
                   p.half_close();
               }),
               fail, bad_response);
}

namespace {

std::string frame(char type, char flags, const std::string& payload) {
    return std::string{'\0', '\0', static_cast<char>(payload.size()), type, flags, '\0', '\0', '\0', '\1'} +
           payload;
}
std::string header(const std::string& name, const std::string& value) { // HPACK: literal, not indexed
    return std::string(1, '\0') + static_cast<char>(name.size()) + name + static_cast<char>(value.size()) +
           value;
}

/// A gRPC answer: a message, if any, and the call's status in the trailers.
Observation grpc(const std::string& message, const std::string& status, std::string* request = nullptr,
                 GrpcCheck check = {}) {
    return against(check, [&](Peer& p) {
        // All of it: curl 7.88 waits for ever if the answer is over before it has sent its last frame.
        const std::string data_frame = std::string("\0\1\0\0\0\1\0\0\0\0", 10); // DATA, END_STREAM, stream 1
        const std::string got = p.read_until(data_frame);
        if (request) *request = got;
        std::string answer = std::string("\0\0\0\4\0\0\0\0\0", 9) +
                             frame(1, 4, "\x88" + header("content-type", "application/grpc"));
        if (!message.empty()) answer += frame(0, 0, message);
        p.write(answer + frame(1, 5, header("grpc-status", status) + header("grpc-message", "why")));
        p.ended();
    });
}
std::string health(char status) { return std::string("\0\0\0\0\2\x08", 6) + status; }

} // namespace

TEST_CASE("grpc: the standard health protocol") {
    std::string request;
    CHECK_SEEN(grpc(health(1), "0", &request, GrpcCheck{"shop.v1.Orders"}), pass, ok);
    CHECK(request.find(std::string("\0\0\0\0\x10\x0a\x0eshop.v1.Orders", 21)) != std::string::npos);
    const Observation no = grpc(health(2), "0");
    CHECK_SEEN(no, fail, reported_down);
    CHECK(no.detail == "NOT_SERVING");
    CHECK_SEEN(grpc(health(3), "0"), fail, reported_down);
    CHECK_SEEN(grpc(std::string(5, '\0'), "0"), fail, reported_down); // 0, UNKNOWN, is left out on the wire
    CHECK_SEEN(grpc(health(9), "0"), fail, bad_response);
    CHECK_SEEN(grpc("", "0"), fail, bad_response);
    CHECK_SEEN(grpc(std::string("\1\0\0\0\2\x08\1", 7), "0"), fail,
               bad_response); // compressed, which was not offered
    CHECK_SEEN(grpc("", "5"), fail, reported_down);
    CHECK_SEEN(grpc("", "12"), fail, wrong_status); // the server has no such protocol
    CHECK_SEEN(grpc("", "16"), fail, auth_failure);
}

namespace {

class Script {
  public:
    explicit Script(const std::string& text) {
        path_ = std::filesystem::temp_directory_path() /
                ("fairway-exec-" + std::to_string(getpid()) + "-" + std::to_string(++number_));
        std::ofstream(path_) << "#!/bin/sh\n" << text << '\n';
        chmod(path_.c_str(), 0700);
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;
    ~Script() { std::filesystem::remove(path_); }
    ExecCheck check(std::vector<std::string> arguments = {}) const {
        arguments.insert(arguments.begin(), path_.string());
        return {arguments};
    }

  private:
    inline static int number_ = 0;
    std::filesystem::path path_;
};

Observation exec(const std::string& script, Duration timeout = 5s) {
    return once(Script(script).check(), 9, timeout);
}

} // namespace

TEST_CASE("exec: the exit status decides, and the first line is for people") {
    CHECK_SEEN(exec("exit 0"), pass, ok);
    const Observation well = exec("echo all is well; echo and more");
    CHECK_SEEN(well, pass, ok);
    CHECK(well.detail == "all is well");
    const Observation two = exec("echo disk full; exit 2");
    CHECK_SEEN(two, fail, reported_down);
    CHECK(two.detail == "exit status 2: disk full");
    CHECK_SEEN(exec("kill -9 $$"), fail, reported_down);
    CHECK_SEEN(once(ExecCheck{{"/nonexistent/check"}}, 9), unknown, internal);
    CHECK_SEEN(exec("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), fail, oversize_body);
    CHECK_SEEN(exec("exec sleep 60", soon), fail, timeout_first_byte);
    CHECK_SEEN(exec("echo I am thinking; exec sleep 60", soon), fail, timeout_body);
    CHECK_SEEN(exec("sleep 60 & exit 0"), pass, ok); // what it leaves behind is ended, not waited for
}

TEST_CASE("exec: no shell, a clean environment, no descriptor of ours, no signal blocked") {
    setenv("FAIRWAY_SECRET", "hunter2", 1);
    const Script prints(R"(printf '[%s] ' "$1"; env | grep -v PWD= | sort | tr '\n' ' ')");
    Check check = check_of(prints.check({"a b; $(id)"}));
    const Observation o = looks(check, nowhere, 1).front();
    unsetenv("FAIRWAY_SECRET");
    CHECK_SEEN(o, pass, ok);
    CHECK(o.detail.starts_with(
        "[a b; $(id)] FAIRWAY_ADDRESS=127.0.0.1 FAIRWAY_CHECK=once FAIRWAY_DATACENTER=east FAIRWAY_PORT=9 "));
    CHECK(o.detail.find("LANG=C") != std::string::npos);
    CHECK(o.detail.find("hunter2") == std::string::npos);
    const int open = ::open("/dev/null", O_RDONLY); // not close-on-exec
    CHECK(exec("echo $(ls /proc/$$/fd | tr '\\n' ' ')").detail.starts_with("0 1 "));
    CHECK(exec("test -e /proc/$$/fd/" + std::to_string(open) + " && echo leaked || echo none").detail ==
          "none");
    close(open);
    CHECK(exec("grep SigBlk /proc/$$/status | cut -f2").detail == "0000000000000000");
}

TEST_CASE("exec: JSON on its output becomes facts") {
    const Observation o =
        exec(R"(echo '{"role": "standby", "quorum": true, "read_only": true, "epoch": 7, "lag": 1.5,
        "position": 9000000000, "system": "s", "weight": "75%", "load": 12.5, "detail": "replica of db1"}')");
    CHECK_SEEN(o, pass, ok);
    CHECK(o.detail == "replica of db1");
    CHECK(o.facts == Facts{.role = Role::standby,
                           .quorum = true,
                           .read_only = true,
                           .epoch = 7,
                           .system = "s",
                           .position = 9000000000,
                           .weight = 0.75,
                           .load = 12.5,
                           .lag = 1500ms});
    CHECK(exec(R"(echo '{"lag": "250ms"}')").facts.lag == 250ms);
    CHECK_SEEN(exec(R"(echo '{"outcome": "degraded"}')"), degraded, ok);
    CHECK_SEEN(exec(R"(echo '{"outcome": "fail"}')"), fail, reported_down);
    CHECK_SEEN(exec(R"(echo '{"outcome": "unknown"}')"), unknown, no_data);
    for (const char* bad : {R"({"role": "master"})", R"({"quorum": 1})", R"({"epoch": -1})",
                            R"({"lag": "soon"})", R"({"weight": 2})", R"({"outcome": "good"})", "{"})
        CHECK_SEEN(exec(std::string("echo '") + bad + "'"), fail, bad_response);
}

TEST_CASE("exec: a program that takes too long is ended with all it has started, and leaves no zombie") {
    const auto pids = std::filesystem::temp_directory_path() / ("fairway-pids-" + std::to_string(getpid()));
    CHECK_SEEN(exec("sleep 61 & echo $! $$ > " + pids.string() + "; wait", 700ms), fail, timeout_first_byte);
    int child = 0, script = 0;
    std::ifstream(pids) >> child >> script;
    std::filesystem::remove(pids);
    REQUIRE(child > 0);
    CHECK(kill(script, 0) != 0); // ended and waited for
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    std::getline(status, text);
    CHECK((text.empty() || text.find(") Z") != std::string::npos)); // init's to wait for
}

TEST_CASE("exec: what a program leaves behind ends with it") {
    const auto file = std::filesystem::temp_directory_path() / ("fairway-left-" + std::to_string(getpid()));
    CHECK_SEEN(exec("sleep 61 & echo $! > " + file.string()), pass, ok);
    int left = 0;
    std::ifstream(file) >> left;
    std::filesystem::remove(file);
    REQUIRE(left > 0);
    std::string text; // it may be init's to wait for by now, or on its way there
    for (int i = 0; i < 500; ++i, usleep(10'000)) {
        text.clear();
        std::getline(std::ifstream("/proc/" + std::to_string(left) + "/stat"), text);
        if (text.empty() || text.find(") Z") != std::string::npos) break;
    }
    CHECK((text.empty() || text.find(") Z") != std::string::npos));
}

TEST_CASE("prometheus: the samples are compared; what is not known of the target is unknown") {
    PrometheusCheck check;
    check.query = "up{instance=\"$address:$port\",dc='$datacenter',x='$host'}";
    check.value = Comparison::parse("== 1");
    std::string request;
    const auto answer = [&](std::string status, std::string text) {
        const FaultServer server([&](Peer& p) {
            request = p.read_until("\r\n\r\n");
            p.write("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(text.size()) + "\r\n\r\n" +
                    text);
            p.ended();
        });
        check.url = "http://127.0.0.1:" + std::to_string(server.port()) + "/prom/";
        return looks(check_of(check), nowhere, 1).front();
    };
    const auto vector = [](const std::string& samples) {
        return R"({"status":"success","data":{"resultType":"vector","result":[)" + samples + "]}}";
    };
    const Observation up = answer("200 OK", vector(R"({"metric":{},"value":[1,"1"]})"));
    CHECK_SEEN(up, pass, ok);
    CHECK(up.facts.load == 1.0);
    CHECK(request.starts_with(
        "GET /prom/api/v1/query?query=up%7Binstance%3D%22127.0.0.1%3A9%22%2Cdc%3D%27east%27%2C"
        "x%3D%27shop.test%27%7D HTTP/1.1\r\n"));
    CHECK_SEEN(answer("200 OK", vector(R"({"value":[1,"1"]},{"value":[1,"0"]})")), fail, body_mismatch);
    CHECK_SEEN(answer("200 OK", R"({"status":"success","data":{"resultType":"scalar","result":[1,"1"]}})"),
               pass, ok);
    CHECK_SEEN(answer("200 OK", vector("")), unknown, no_data);
    CHECK_SEEN(answer("200 OK", vector(R"({"value":[1,"NaN"]})")), unknown, no_data);
    CHECK_SEEN(answer("200 OK", "<html>"), unknown, no_data);
    CHECK_SEEN(answer("503 Busy", ""), unknown, no_data);
    const Observation bad = answer("400 Bad", R"({"status":"error","error":"parse error"})");
    CHECK_SEEN(bad, unknown, no_data);
    CHECK(bad.detail == "prometheus: HTTP 400 parse error");
    const DeadPort refusing(DeadPort::Kind::refusing), silent(DeadPort::Kind::silent);
    check.url = "http://127.0.0.1:" + std::to_string(refusing.port());
    CHECK_SEEN(once(check, 9), unknown, no_data);
    check.url = "http://127.0.0.1:" + std::to_string(silent.port());
    CHECK_SEEN(once(check, 9, soon), unknown, no_data);
}

namespace {

/// Runs in a child that may do so, in a network namespace of its own; the exit status is the verdict.
int in_namespace(const char* setup, int (*run)()) {
    const pid_t child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) _exit(2);
        if (std::system(setup) != 0) _exit(3);
        _exit(run());
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

} // namespace

TEST_CASE("icmp: an echo is answered, by raw and by ping socket; a router's word is silence") {
    INFO("2: this machine allows no network namespaces, 3: no ip command");
    const auto run = [] {
        const Check check = check_of(IcmpCheck{});
        const Observation v4 = looks(check, nowhere, 2).back();
        const Observation v6 = looks(check, {IpAddress::parse("::1").value(), 0}, 2).back();
        // No neighbour answers there, and the kernel says so after a while.
        Check patient = check;
        const Observation gone = looks(patient, {IpAddress::parse("192.0.2.77").value(), 0}, 1).front();
        const Observation away = looks(check, {IpAddress::parse("203.0.113.1").value(), 0}, 1).front();
        if (v4.outcome != Outcome::pass || v6.outcome != Outcome::pass) return 10;
        if (gone.reason != Reason::unreachable) return 11;
        return away.reason == Reason::no_route && away.outcome == Outcome::unknown ? 0 : 12;
    };
    const std::string net =
        "ip link set lo up && ip link add v0 type veth peer name v1 && ip link set v0 up && "
        "ip link set v1 up && ip addr add 192.0.2.1/24 dev v0";
    CHECK(in_namespace(net.c_str(), run) == 0); // the default range is empty: a raw socket
    CHECK(in_namespace((net + " && echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range").c_str(), run) ==
          0);
}

TEST_CASE("a look comes from the address it is told to") {
    Check check = check_of(AgentCheck{});
    check.source = {IpAddress::parse("127.0.0.77").value(), IpAddress::parse("::1").value()};
    // The kernel picks 127.0.0.1 otherwise; what the server sees is the proof.
    std::promise<std::string> seen;
    const FaultServer server([&](Peer& p) {
        seen.set_value(p.address());
        p.write("up\n");
        p.ended();
    });
    CHECK_SEEN(looks(check, at(server.port()), 1).front(), pass, ok);
    CHECK(seen.get_future().get() == "127.0.0.77");
    check.source = {IpAddress::parse("192.0.2.1").value()}; // not this machine's
    CHECK_SEEN(looks(check, at(server.port()), 1).front(), unknown, local_limit);
}
