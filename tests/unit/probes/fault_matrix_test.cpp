// The fault matrix (H8): every way to fail, for each kind of check that talks over a connection: its outcome
// and its reason. A row is a fault, a column a kind.
#include "tests/unit/probes/once.hpp"

#include <map>
#include <set>

using namespace fairway;
using namespace fairway::testing;

namespace {

const Authority& authority() {
    static const Authority a;
    return a;
}

const Certificate& certificate() {
    static const Certificate c = authority().issue("shop.test", 86400 * 100);
    return c;
}

TlsSettings trusting() {
    TlsSettings t;
    t.ca_file = authority().file();
    return t;
}

/// Every kind, so told that a good target would have to say something.
std::map<std::string, CheckKind> kinds() {
    HttpCheck http, https, http2, https2;
    http.body = https.body = http2.body = https2.body = "alive";
    https.tls = https2.tls = true;
    https.tls_settings = https2.tls_settings = trusting();
    http2.http2 = https2.http2 = true;
    GrpcCheck grpcs;
    grpcs.tls = true;
    grpcs.tls_settings = trusting();
    RedisCheck redis, rediss;
    ZookeeperCheck zookeeper, zookeepers;
    rediss.tls = zookeepers.tls = true;
    rediss.sni = zookeepers.sni = "shop.test";
    rediss.tls_settings = zookeepers.tls_settings = trusting();
    return {{"redis", redis},
            {"rediss", rediss},
            {"zookeeper", zookeeper},
            {"zookeepers", zookeepers},
            {"mysql", MysqlCheck{"fairway"}},
            {"http", http},
            {"https", https},
            {"http2", http2},
            {"https2", https2},
            {"tcp", TcpCheck{{"hello\r\n", "alive"}}},
            {"tls", TlsCheck{"", trusting(), {"hello\r\n", "alive"}}},
            {"grpc", GrpcCheck{}},
            {"grpcs", grpcs},
            {"agent", AgentCheck{}}};
}

bool encrypted(const std::string& kind) {
    static const std::set<std::string> those{"https", "https2", "tls", "grpcs", "rediss", "zookeepers"};
    return those.contains(kind);
}
bool speaks_http2(const std::string& kind) {
    return kind == "https2" || kind == "http2" || kind.starts_with("grpc");
}

/// The reasons, by kind; `others` for those not named.
struct Expected {
    Reason others;
    std::map<std::string, Reason> by_kind{};
    Reason of(const std::string& kind) const {
        const auto found = by_kind.find(kind);
        return found == by_kind.end() ? others : found->second;
    }
};

/// The same for those that begin with a handshake.
Expected encrypted_ones(Reason those, Reason others) {
    Expected e{others};
    for (const auto& [name, kind] : kinds())
        if (encrypted(name)) e.by_kind[name] = those;
    return e;
}

void check(const std::string& kind, const Observation& seen, Reason expected) {
    INFO(kind << ": " << seen.detail);
    CHECK(to_string(seen.reason) == to_string(expected));
    CHECK(to_string(seen.outcome) == to_string(Outcome::fail));
    CHECK(seen.detail.size() <= 200);
}

/// Every kind against a server that does this with the bare connection.
void bare(const FaultServer::Serve& serve, const Expected& expected, Duration timeout = 5s) {
    for (const auto& [name, kind] : kinds()) check(name, against(kind, serve, timeout), expected.of(name));
}

/// Every kind that is encrypted, after the handshake.
void shaken(const FaultServer::Serve& serve, const Expected& expected, Duration timeout = 5s) {
    for (const auto& [name, kind] : kinds()) {
        if (!encrypted(name)) continue;
        const bool http2 = speaks_http2(name);
        const auto after = [&](Peer& p) {
            if (p.start_tls(certificate(), {}, http2)) serve(p);
        };
        check(name, against(kind, after, timeout), expected.of(name));
    }
}

/// HTTP/1.1 kinds, once they have asked.
void asked(const FaultServer::Serve& serve, Reason expected, Duration timeout = 5s) {
    for (const char* name : {"http", "https"}) {
        const auto after = [&](Peer& p) {
            if (encrypted(name) && !p.start_tls(certificate())) return;
            p.read_until("\r\n\r\n");
            serve(p);
        };
        check(name, against(kinds().at(name), after, timeout), expected);
    }
}

FaultServer::Serve says(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.write(text);
        p.half_close();
    };
}

} // namespace

TEST_CASE("H8: nobody listens, and nobody answers") {
    const DeadPort refusing(DeadPort::Kind::refusing), silent(DeadPort::Kind::silent);
    for (const auto& [name, kind] : kinds()) {
        check(name, once(kind, refusing.port()), Reason::refused);
        check(name, once(kind, silent.port(), soon), Reason::timeout_connect);
    }
}

TEST_CASE("H8: the connection is accepted, and then reset, ended, or left alone") {
    bare([](Peer& p) { p.reset(); }, {Reason::reset});
    bare([](Peer& p) { p.half_close(); }, {Reason::closed});
    bare([](Peer&) {}, encrypted_ones(Reason::timeout_tls, Reason::timeout_first_byte), soon);
}

TEST_CASE("H8: the first words are heard, and then the connection is reset or ended") {
    bare(
        [](Peer& p) {
            p.read_some();
            p.reset();
        },
        {Reason::reset});
    bare(
        [](Peer& p) {
            p.read_some();
            p.half_close();
        },
        {Reason::closed});
}

TEST_CASE("H8: a byte at a time") {
    // A first line that never ends is no answer yet for those who wait for lines or frames.
    Expected expected = encrypted_ones(Reason::timeout_tls, Reason::timeout_first_byte);
    for (const char* kind : {"tcp", "agent", "zookeeper"}) expected.by_kind[kind] = Reason::timeout_body;
    for (const char* kind : {"redis", "mysql"}) // a byte tells Redis, three MySQL
        expected.by_kind[kind] = Reason::bad_response;
    bare([](Peer& p) { p.drip("HTTP/1.1 200 OK"); }, expected, 500ms);
}

TEST_CASE("H8: garbage") {
    Expected expected = encrypted_ones(Reason::tls_failure, Reason::bad_response);
    expected.by_kind["tcp"] = Reason::body_mismatch;
    bare(says("SSH-2.0-OpenSSH_9.2\r\n\x01\x02\xff"), expected);
    bare(says(std::string(2000, '\xee') + "\r\n\r\n"), [&] {
        Expected e = expected;
        e.by_kind["agent"] = Reason::oversize_body;
        return e;
    }());
}

TEST_CASE("H8: after the handshake, the same") {
    shaken([](Peer& p) { p.reset(); }, {Reason::reset});
    shaken([](Peer& p) { p.half_close(); }, {Reason::closed});
    shaken([](Peer&) {}, {Reason::timeout_first_byte}, soon);
    shaken([](Peer& p) { p.write("SSH-2.0-OpenSSH_9.2\r\n"); },
           {Reason::bad_response, {{"tls", Reason::timeout_body}, {"zookeepers", Reason::timeout_body}}},
           soon);
}

TEST_CASE("H8: a certificate that is not believed") {
    const auto with = [](Certificate c, Reason expected) {
        for (const auto& [name, kind] : kinds()) {
            if (!encrypted(name)) continue;
            const bool http2 = speaks_http2(name);
            check(name, against(kind, [&](Peer& p) { p.start_tls(c, {}, http2); }), expected);
        }
    };
    with(authority().issue("other.test", 3600), Reason::wrong_name);
    with(authority().issue("shop.test", -60), Reason::expired_certificate);
    with(authority().self_signed("shop.test"), Reason::bad_certificate);
    with(Authority().issue("shop.test", 3600), Reason::bad_certificate);
}

TEST_CASE("H8: an HTTP answer that goes wrong in the middle") {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    asked([&](Peer& p) { p.write(ok); }, Reason::timeout_body, soon);
    asked(
        [&](Peer& p) {
            p.write(ok + "Content-Length: 100\r\n\r\nhalf");
            p.reset();
        },
        Reason::reset);
    asked(says(ok + "Content-Length: 100\r\n\r\nhalf"), Reason::closed);
    asked([&](Peer& p) { p.write(ok + "Content-Length: 100\r\n\r\n"), p.drip("a byte"); },
          Reason::timeout_body, soon);
    asked(says(ok + "Transfer-Encoding: chunked\r\n\r\nZZZ\r\nnot a chunk\r\n"), Reason::bad_response);
    asked(says(ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx"), Reason::bad_response);
    asked(says(ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhe"), Reason::closed);
    asked(says(ok + "Content-Length: 5\r\nContent-Encoding: br\r\n\r\ndead!"), Reason::body_mismatch);
    asked(says("HTTP/1.1 abc OK\r\n\r\n"), Reason::bad_response);
    asked(says("HTTP/9.9 200 OK\r\n\r\n"), Reason::bad_response);
    asked(says("HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n"), Reason::wrong_status);
    asked(says("HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), Reason::redirect);
}

TEST_CASE("H8: redirects without end are not followed without end") {
    HttpCheck follows;
    follows.redirects = 5;
    std::atomic<int> requests = 0;
    const FaultServer server([&](Peer& p) {
        p.read_until("\r\n\r\n");
        ++requests;
        p.write("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
        p.ended();
    });
    check("http", once(follows, server.port()), Reason::redirect);
    CHECK(requests == 6);
}

namespace {

/// RFC 9113 section 4.1.
std::string frame(char type, char flags, char stream, const std::string& payload) {
    std::string f{'\0',
                  static_cast<char>(payload.size() >> 8),
                  static_cast<char>(payload.size() & 0xff),
                  type,
                  flags,
                  '\0',
                  '\0',
                  '\0',
                  stream};
    return f + payload;
}
const std::string settings = frame(4, 0, 0, "");
std::string goaway(char error) { return frame(7, 0, 0, std::string(7, '\0') + error); }
std::string rst_stream(char error) { return frame(3, 0, 1, std::string(3, '\0') + error); }
const std::string status_200 =
    frame(1, 4, 1, "\x88"); // HEADERS, END_HEADERS; index 8 of HPACK's static table

/// HTTP/2 kinds, once the first frames have come.
void in_frames(const std::string& sent, Reason expected, Duration timeout = 5s, bool stays = false) {
    for (const auto& [name, kind] : kinds()) {
        if (!speaks_http2(name)) continue;
        const auto serve = [&](Peer& p) {
            if (encrypted(name) && !p.start_tls(certificate(), {}, true)) return;
            p.read_until("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
            p.write(sent);
            if (!stays) p.half_close();
        };
        check(name, against(kind, serve, timeout), expected);
    }
}

} // namespace

TEST_CASE("H8: HTTP/2 that goes wrong") {
    in_frames(settings, Reason::timeout_first_byte, soon, true);
    in_frames(settings, Reason::closed);
    in_frames(settings + goaway(0), Reason::closed);
    in_frames(settings + goaway(2), Reason::closed); // INTERNAL_ERROR
    in_frames(settings + rst_stream(2), Reason::reset, 5s, true);
    in_frames(settings + rst_stream(7), Reason::closed, 5s, true); // REFUSED_STREAM: come again, elsewhere
    in_frames(settings + status_200, Reason::timeout_body, soon, true);
    in_frames(settings + status_200, Reason::closed);
    in_frames(settings + frame(1, 4, 1, "\xff\xff\xff\xff\xff\xff"),
              Reason::bad_response); // HPACK that is none
    in_frames(settings + frame(0, 1, 0, "on no stream"), Reason::bad_response);
    in_frames(std::string(100, 'x'), Reason::bad_response);
}

TEST_CASE("H8: floods are cut off, and little of them is ever held") {
    // What the kernel's buffers take on loopback, and no more: the probe has stopped reading.
    constexpr std::size_t offered = 256 << 20, taken_at_most = 24 << 20;
    const std::string piece(1 << 16, 'x');
    const auto flood = [&](const std::string& kind, const std::string& head, Reason expected) {
        std::size_t taken = 0;
        const auto serve = [&](Peer& p) {
            if (encrypted(kind) && !p.start_tls(certificate(), {}, speaks_http2(kind))) return;
            p.read_some();
            p.write(head);
            taken = p.flood(piece, offered);
        };
        CAPTURE(head.substr(0, 60));
        check(kind, against(kinds().at(kind), serve), expected);
        CHECK(taken < taken_at_most);
    };
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    for (const char* kind : {"http", "https"}) {
        flood(kind, ok + "X: ", Reason::oversize_body);
        flood(kind, ok + "Content-Length: 999999999999\r\n\r\n", Reason::oversize_body);
        flood(kind, ok + "\r\n", Reason::oversize_body);
        flood(kind, ok + "Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", Reason::oversize_body);
        flood(kind, "", Reason::bad_response);
    }
    flood("tcp", "", Reason::oversize_body);
    flood("tls", "", Reason::oversize_body);
    flood("agent", "", Reason::oversize_body);
    flood("zookeeper", "", Reason::oversize_body);
    flood("zookeepers", "", Reason::oversize_body);
    flood("redis", "$60000\r\n", Reason::bad_response);
    flood("rediss", "*1000\r\n$60000\r\n", Reason::bad_response);
    flood("mysql", "", Reason::bad_response);
    flood("grpc", "", Reason::bad_response);
    flood("http2", "", Reason::bad_response);
}
