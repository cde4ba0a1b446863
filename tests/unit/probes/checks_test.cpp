// The fault matrix (H8): every failure has its reason, for each kind of check.
#include "probes/glue/socket.hpp"
#include "tests/unit/probes/once.hpp"

#include <cerrno>
#include <cstdlib>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fairway;
using namespace fairway::probes;
using namespace fairway::testing;

namespace {

FaultServer::Serve answers(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write(text);
        p.ended();
    };
}

} // namespace

TEST_CASE("tcp: established is a pass, closed in order") {
    bool in_order = false;
    CHECK_SEEN(against(TcpCheck{},
                       [&](Peer& p) {
                           p.write("220 a banner that nobody reads\r\n");
                           in_order = p.ended();
                       }),
               pass, ok);
    CHECK(in_order);
}

TEST_CASE("tcp: refused is evidence, no answer is silence") {
    CHECK_SEEN(once(TcpCheck{}, DeadPort(DeadPort::Kind::refusing).port()), fail, refused);
    const DeadPort silent(DeadPort::Kind::silent);
    CHECK_SEEN(once(TcpCheck{}, silent.port(), soon), fail, timeout_connect);
}

TEST_CASE("unreachable from afar is silence; without a route of our own it is unknown (L3)") {
    const SocketAddress here{IpAddress::parse("127.0.0.1").value(), 9};
    CHECK(reason_of_errno(EHOSTUNREACH, here) == Reason::unreachable);
    CHECK(reason_of_errno(ENETUNREACH, here) == Reason::unreachable); // there is a route, so somebody said so
    CHECK(reason_of_errno(EMFILE, here) == Reason::local_limit);
    CHECK(reason_of_errno(EADDRNOTAVAIL, here) == Reason::local_limit);
    CHECK(because(Reason::unreachable, "").outcome == Outcome::fail);
    CHECK(because(Reason::local_limit, "").outcome == Outcome::unknown);

    const pid_t child = fork();
    if (child == 0) { // in a network namespace with no interface up
        if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) _exit(2);
        const Observation o = once(TcpCheck{}, 9);
        _exit(o.outcome == Outcome::unknown && o.reason == Reason::no_route ? 0 : 1);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    INFO("2: this machine allows no network namespaces");
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("http: a request users could have made, and its answer judged") {
    std::string request;
    bool in_order = false;
    HttpCheck check;
    check.path = "/healthz?deep=1";
    check.headers = {{"X-Probe", "yes"}};
    check.body = "\"ok\"";
    CHECK_SEEN(against(check,
                       [&](Peer& p) {
                           request = p.read_until("\r\n\r\n");
                           p.write("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{\"status\": \"ok\"}");
                           in_order = p.ended();
                       }),
               pass, ok);
    INFO(request);
    CHECK(request.starts_with("GET /healthz?deep=1 HTTP/1.1\r\n"));
    CHECK(request.find("\r\nHost: shop.test\r\n") != std::string::npos);
    CHECK(request.find("\r\nUser-Agent: fairway/") != std::string::npos);
    CHECK(request.find("\r\nX-Probe: yes\r\n") != std::string::npos);
    CHECK(in_order);
}

TEST_CASE("http: the environment's proxy is not asked") {
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    CHECK_SEEN(against(HttpCheck{}, answers("HTTP/1.1 204 No Content\r\n\r\n")), pass, ok);
    unsetenv("http_proxy");
}

TEST_CASE("http: faults of the connection") {
    CHECK_SEEN(once(HttpCheck{}, DeadPort(DeadPort::Kind::refusing).port()), fail, refused);
    const DeadPort silent(DeadPort::Kind::silent);
    CHECK_SEEN(once(HttpCheck{}, silent.port(), soon), fail, timeout_connect);
    CHECK_SEEN(against(
                   HttpCheck{}, [](Peer&) {}, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(against(HttpCheck{},
                       [](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.reset();
                       }),
               fail, reset);
    CHECK_SEEN(against(HttpCheck{},
                       [](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.finish();
                       }),
               fail, closed);
}

TEST_CASE("http: faults of the answer") {
    CHECK_SEEN(against(HttpCheck{}, answers("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")),
               fail, wrong_status);
    CHECK_SEEN(
        against(HttpCheck{}, answers("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n")),
        fail, redirect);
    CHECK_SEEN(against(HttpCheck{}, answers("SSH-2.0-OpenSSH_9.2\r\n")), fail, bad_response);
    CHECK_SEEN(against(HttpCheck{}, answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), soon),
               fail, timeout_body);
    CHECK_SEEN(against(HttpCheck{}, answers("HTTP/1.1 503 Oh\r\nContent-Length: 100\r\n\r\nhalf"), soon),
               fail,
               wrong_status); // it has spoken before it fell silent
    CHECK_SEEN(
        against(HttpCheck{}, answers("HTTP/1.1 200 OK\r\nX-Long: " + std::string(90'000, 'x') + "\r\n\r\n")),
        fail, oversize_body);
    CHECK_SEEN(against(HttpCheck{},
                       [](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
                           p.finish();
                       }),
               fail, closed);

    HttpCheck redirected;
    redirected.status = {{301, 302}};
    CHECK_SEEN(
        against(redirected, answers("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")), pass,
        ok);
}

TEST_CASE("http: the body is searched within its window and no further") {
    HttpCheck check;
    check.body = "alive";
    check.body_window = 1000;
    const auto body = [](const std::string& b) {
        return answers("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(b.size()) + "\r\n\r\n" + b);
    };
    CHECK_SEEN(against(check, body("it is alive")), pass, ok);
    CHECK_SEEN(against(check, body("it is dead")), fail, body_mismatch);
    CHECK_SEEN(against(check, body("alive" + std::string(100'000, '.'))), pass, ok);
    CHECK_SEEN(against(check, body(std::string(100'000, '.') + "alive")), fail, oversize_body);
    check.body.clear();
    CHECK_SEEN(against(check, body(std::string(100'000, '.'))), pass, ok);
    check.method = "HEAD";
    CHECK_SEEN(against(check, answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")), pass, ok);
}

TEST_CASE("https: the certificate is verified, its chain, its time and its name") {
    const Authority authority;
    HttpCheck check;
    check.tls = true;
    check.tls_settings.ca_file = authority.file();
    const auto with = [](Certificate c) {
        return [c = std::move(c)](Peer& p) {
            if (!p.start_tls(c)) return;
            p.read_until("\r\n\r\n");
            p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        };
    };
    const Certificate good = authority.issue("shop.test", 86400 * 90);
    const Certificate other = authority.issue("other.test", 86400 * 90);
    CHECK_SEEN(against(check, with(good)), pass, ok);
    CHECK_SEEN(against(check, with(other)), fail, wrong_name);
    CHECK_SEEN(against(check, with(authority.issue("shop.test", -60))), fail, expired_certificate);
    CHECK_SEEN(against(check, with(authority.self_signed("shop.test"))), fail, bad_certificate);

    HttpCheck chain_only = check;
    chain_only.tls_settings.verify = TlsSettings::Verify::ca;
    CHECK_SEEN(against(chain_only, with(other)), pass, ok);
    HttpCheck anything = check;
    anything.tls_settings.verify = TlsSettings::Verify::none;
    anything.tls_settings.expiry_warning = 0s;
    CHECK_SEEN(against(anything, with(authority.self_signed("x"))), pass, ok);
    HttpCheck no_file = check;
    no_file.tls_settings.ca_file = "/nonexistent/ca.pem";
    CHECK_SEEN(against(no_file, with(good)), unknown, internal);
}

TEST_CASE("https: faults of the handshake") {
    const Authority authority;
    HttpCheck check;
    check.tls = true;
    check.tls_settings.ca_file = authority.file();
    CHECK_SEEN(against(
                   check, [](Peer&) {}, soon),
               fail, timeout_tls);
    CHECK_SEEN(against(check,
                       [](Peer& p) {
                           p.read_some();
                           p.write("HTTP/1.1 400 Bad Request\r\n\r\n");
                       }),
               fail, tls_failure);
    CHECK_SEEN(against(check,
                       [](Peer& p) {
                           p.read_some();
                           p.finish();
                       }),
               fail, closed);
    CHECK_SEEN(against(check,
                       [](Peer& p) {
                           p.read_some();
                           p.reset();
                       }),
               fail, reset);
    const Certificate good = authority.issue("shop.test", 86400 * 90);
    CHECK_SEEN(against(
                   check, [&](Peer& p) { p.start_tls(good); }, soon),
               fail, timeout_first_byte);
}

TEST_CASE("what a target sends is made printable before it is logged") {
    CHECK(printable("a\r\nb\x1b[31m\xff") == "a  b [31m?");
    CHECK(printable(std::string(1000, 'x')).size() == 200);
}
