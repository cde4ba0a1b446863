// http without TLS or HTTP/2: what goes out, and answers of every shape. How it fails: fault_matrix_test.
#include "tests/unit/probes/kinds.hpp"

#include <atomic>
#include <mutex>

using namespace fairway;
using namespace fairway::testing;

namespace {

/// Answers each request with this, and then ends.
FaultServer::Serve answers(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write(text);
        p.finish();
    };
}

HttpCheck wants(std::string text) {
    HttpCheck c;
    c.body = std::move(text);
    return c;
}

} // namespace

TEST_CASE("http: the request says what is usual, and what the check says instead") {
    std::mutex mutex; // guards asked
    std::string asked;
    const FaultServer server([&](Peer& p) {
        std::string request = p.read_until("\r\n\r\n");
        const std::scoped_lock lock(mutex);
        asked = std::move(request);
        p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    HttpCheck check;
    check.path = "/ready?deep=1#not-sent";
    CHECK_SEEN(once(check, server.port()), pass, ok);
    CHECK(asked == "GET /ready?deep=1 HTTP/1.1\r\nUser-Agent: fairway/" FAIRWAY_VERSION
                   "\r\nAccept: */*\r\nHost: shop.test\r\nConnection: close\r\n\r\n");
    check.method = "OPTIONS";
    check.headers = {{"user-agent", "lb"}, {"Accept", ""}, {"X-Probe", "1"}};
    check.reuse = true;
    CHECK_SEEN(once(check, server.port()), pass, ok);
    CHECK(asked ==
          "OPTIONS /ready?deep=1 HTTP/1.1\r\nHost: shop.test\r\nuser-agent: lb\r\nX-Probe: 1\r\n\r\n");
    check.path = "/two words";
    CHECK_SEEN(once(check, server.port()), unknown, internal);
}

TEST_CASE("http: an answer is heard in every shape it may have") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    CHECK_SEEN(against(wants("alive"), answers("HTTP/1.0 200\r\n\r\nI am alive")), pass, ok);
    CHECK_SEEN(
        against(
            wants("alive"),
            answers(ok + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nali\r\n2\r\nve\r\n0\r\nT: 1\r\n\r\n")),
        pass, ok);
    const std::string interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
    CHECK_SEEN(against(wants("alive"), answers(interim + ok + "Content-Length: 5\r\n\r\nalive")), pass, ok);
    CHECK_SEEN(against(wants(""), answers("HTTP/1.1 204 No Content\r\n\r\n")), pass, ok);
    CHECK_SEEN(against(wants("alive"), answers(ok + "Content-Length: 5\r\n\r\nalive and more")), pass, ok);
    HttpCheck head;
    head.method = "HEAD";
    CHECK_SEEN(against(head,
                       [&](Peer& p) {
                           p.read_until("\r\n\r\n");
                           p.write(ok + "Content-Length: 5\r\n\r\n"); // and no body comes
                           p.ended();
                       }),
               pass, ok);
    CHECK_SEEN(against(wants("alive"), answers(interim)), fail, closed);
}

TEST_CASE("http: a redirect may be told as a part of the address") {
    HttpCheck check;
    check.path = "/a/old?x=1";
    check.redirects = 1;
    const auto leads_to = [&](const std::string& location, const std::string& asks) {
        const auto serve = [&](Peer& p) {
            if (p.read_until("\r\n\r\n").starts_with("GET " + asks + " "))
                p.write("HTTP/1.1 204 No Content\r\n\r\n");
            else p.write("HTTP/1.1 302 Found\r\nLocation: " + location + "\r\nContent-Length: 0\r\n\r\n");
            p.ended();
        };
        CAPTURE(location);
        CHECK_SEEN(against(check, serve), pass, ok);
    };
    leads_to("/b", "/b");
    leads_to("new", "/a/new");
    leads_to("?y=2", "/a/old?y=2");
    leads_to("/b?to=http://other.test/", "/b?to=http://other.test/");
}

TEST_CASE("http: what a kept connection says unasked is no answer") {
    HttpCheck check;
    check.reuse = true;
    const FaultServer server([](Peer& p) {
        p.read_until("\r\n\r\n");
        p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
                "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"); // HAProxy, when idle
        p.finish();
    });
    for (const Observation& seen : looks(check_of(check), at_loopback(server.port()), 3))
        CHECK_SEEN(seen, pass, ok);
    CHECK(server.accepted() == 3);
}

TEST_CASE("http: a kept connection given up as we ask is no failure: a new one is asked") {
    HttpCheck check;
    check.reuse = true;
    for (const bool resets : {false, true}) {
        const FaultServer server([&](Peer& p) {
            p.read_until("\r\n\r\n");
            p.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            p.read_until("\r\n\r\n");
            resets ? p.reset() : p.finish();
        });
        for (const Observation& seen : looks(check_of(check), at_loopback(server.port()), 3))
            CHECK_SEEN(seen, pass, ok);
        CHECK(server.accepted() == 3);
    }
}
