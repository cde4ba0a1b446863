// http and https: what is asked, and what is made of an answer. How they fail to get one: fault_matrix_test.
#include "tests/unit/probes/kinds.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <unistd.h>

using namespace fairway;
using namespace fairway::testing;

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
    const std::vector<Observation> seen = looks(check_of(http), at_loopback(server.port()), 5);
    for (const Observation& o : seen) CHECK_SEEN(o, pass, ok);
    CHECK(requests == 5);
    CHECK(server.accepted() == 3);

    http.reuse = false;
    const FaultServer each(body(""));
    looks(check_of(http), at_loopback(each.port()), 3);
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
    for (const Observation& o : looks(check_of(https), at_loopback(server.port()), 3))
        CHECK_SEEN(o, pass, ok);
    CHECK(resumed == 2);
    resumed = 0;
    for (const Observation& o : looks(check_of(tls), at_loopback(server.port()), 3)) CHECK_SEEN(o, pass, ok);
    CHECK(resumed == 2);
}
