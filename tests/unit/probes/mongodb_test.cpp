// The mongodb check against answers made after the documentation of hello (MongoDB 7.0); no server has been
// asked.
#include "probes/glue/bson.hpp"
#include "tests/unit/probes/once.hpp"

using namespace fairway;
using namespace fairway::probes;
using namespace fairway::testing;

namespace {

std::string zero(const std::string& s) { return s + '\0'; }
std::string le(std::uint64_t n) {
    return written_u32(static_cast<std::uint32_t>(n)) + written_u32(static_cast<std::uint32_t>(n >> 32));
}
std::string document(const std::string& elements) {
    return written_u32(static_cast<std::uint32_t>(elements.size() + 5)) + zero(elements);
}
std::string flag(const std::string& name, bool value) { return "\x08" + zero(name) + (value ? '\1' : '\0'); }
std::string text(const std::string& name, const std::string& value) {
    return "\x02" + zero(name) + written_u32(static_cast<std::uint32_t>(value.size() + 1)) + zero(value);
}
std::string inner(const std::string& name, const std::string& elements) {
    return "\x03" + zero(name) + document(elements);
}
std::string one(const std::string& name) { return "\x01" + zero(name) + le(0x3ff0000000000000); } // 1.0
std::string int64(const std::string& name, std::uint64_t n) { return "\x12" + zero(name) + le(n); }
std::string date(const std::string& name, std::uint64_t ms) { return "\x09" + zero(name) + le(ms); }
std::string object_id(const std::string& name, const std::string& bytes) {
    return "\x07" + zero(name) + bytes;
}

std::string message(const std::string& elements) {
    const std::string body = written_u32(0) + std::string(1, '\0') + document(elements);
    return written_u32(static_cast<std::uint32_t>(16 + body.size())) + written_u32(77) + written_u32(1) +
           written_u32(2013) + body;
}

std::string last_write(std::uint64_t term, std::uint64_t ms) {
    return inner("lastWrite", inner("opTime", "\x11" + zero("ts") + le(ms / 1000 << 32) + int64("t", term)) +
                                  date("lastWriteDate", ms));
}

FaultServer::Serve answers(std::string text) {
    return [text = std::move(text)](Peer& p) {
        p.read_some();
        p.write(text);
        p.ended();
    };
}

Observation told(const std::string& elements) { return against(MongodbCheck{}, answers(message(elements))); }

const std::string election = std::string("\x7f\xff\xff\xff\0\0\0\0\0\0\0\x09", 12);
const std::string member =
    text("setName", "rs0") + text("primary", "m1:27017") + last_write(8, 1795181716000);

} // namespace

TEST_CASE("mongodb: what is asked is hello, to the database admin") {
    std::string asked;
    CHECK_SEEN(against(MongodbCheck{}, [&](Peer& p) { asked = p.read_some(), p.finish(); }), fail, closed);
    REQUIRE(asked.size() > 21);
    CHECK(read_u32(asked) == asked.size());
    CHECK(read_u32(asked.substr(12)) == 2013);
    const auto document = Bson::parse(std::string_view(asked).substr(21));
    REQUIRE(document);
    CHECK(document->number("hello") == 1);
    CHECK(document->text("$db") == "admin");
}

TEST_CASE("mongodb: a primary and a secondary, with term, last write and set") {
    const Observation p = told(flag("isWritablePrimary", true) + flag("secondary", false) + member +
                               object_id("electionId", election) + one("ok"));
    CHECK_SEEN(p, pass, ok);
    CHECK(p.facts.to_string() ==
          "role=primary quorum=yes read_only=no epoch=9 position=1795181716000 system=rs0");
    const Observation s =
        told(flag("isWritablePrimary", false) + flag("secondary", true) + member + one("ok"));
    CHECK_SEEN(s, pass, ok);
    CHECK(s.facts.to_string() ==
          "role=standby quorum=yes read_only=yes epoch=8 position=1795181716000 system=rs0");
}

TEST_CASE("mongodb: without a primary there is no quorum; arbiters and those that recover have no role") {
    const std::string secondary =
        flag("isWritablePrimary", false) + flag("secondary", true) + text("setName", "rs0");
    const Observation o = told(secondary + last_write(8, 1) + one("ok"));
    CHECK_SEEN(o, degraded, no_quorum);
    CHECK(o.facts.quorum == false);
    CHECK_SEEN(told(flag("isWritablePrimary", false) + flag("secondary", false) + member + one("ok")), fail,
               starting);
    CHECK_SEEN(told(flag("isWritablePrimary", false) + flag("arbiterOnly", true) + member + one("ok")), fail,
               role);
}

TEST_CASE("mongodb: a router, a single server, a command that is not known") {
    CHECK(told(flag("isWritablePrimary", true) + text("msg", "isdbgrid") + one("ok")).detail == "mongos");
    CHECK(told(flag("isWritablePrimary", true) + one("ok")).facts.role == Role::primary);
    const Observation old = told("\x01" + zero("ok") + le(0) + text("errmsg", "no such command: 'hello'"));
    CHECK_SEEN(old, fail, bad_response);
    CHECK(old.detail == "no such command: 'hello'");
}

TEST_CASE("H8: mongodb: the fault matrix") {
    const DeadPort refusing(DeadPort::Kind::refusing), silent(DeadPort::Kind::silent);
    const MongodbCheck plain;
    CHECK_SEEN(once(plain, refusing.port()), fail, refused);
    CHECK_SEEN(once(plain, silent.port(), soon), fail, timeout_connect);
    CHECK_SEEN(against(plain, [](Peer& p) { p.reset(); }), fail, reset);
    CHECK_SEEN(against(plain, [](Peer& p) { p.read_some(), p.half_close(); }), fail, closed);
    CHECK_SEEN(against(
                   plain, [](Peer&) {}, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(against(
                   plain, [](Peer& p) { p.read_some(), p.write(message(one("ok")).substr(0, 30)); }, soon),
               fail, timeout_body);
    CHECK_SEEN(against(plain, answers("SSH-2.0-OpenSSH_9.2\r\n")), fail, bad_response);
    CHECK_SEEN(against(plain, answers(written_u32(1 << 20) + std::string(40, '\0'))), fail, oversize_body);
    CHECK_SEEN(against(plain, answers(written_u32(3) + std::string(40, '\0'))), fail, bad_response);
    CHECK_SEEN(against(plain, answers(written_u32(60) + std::string(56, '\0'))), fail, bad_response);
    CHECK_SEEN(against(plain, answers(message("\x05garbage"))), fail, bad_response);
    CHECK_SEEN(against(plain, answers(message(one("ok")))), fail, bad_response);
    Authority authority;
    MongodbCheck tls{.tls = true, .sni = "shop.test"};
    tls.tls_settings.ca_file = authority.file();
    CHECK_SEEN(against(
                   tls, [](Peer&) {}, soon),
               fail, timeout_tls);
    CHECK_SEEN(against(tls, [&](Peer& p) { p.start_tls(authority.issue("other.test", 3600)); }), fail,
               wrong_name);
    CHECK_SEEN(against(tls, [&](Peer& p) { p.start_tls(authority.issue("shop.test", -60)); }), fail,
               expired_certificate);
}

TEST_CASE("bson: whatever bytes come, nothing outside of them is read") {
    const std::string good =
        document(flag("a", true) + text("b", "text") + inner("c", int64("d", 7)) + one("e"));
    const auto touch = [](const std::string& bytes) {
        const std::string exact(bytes); // on the heap, to its very size: the sanitizer watches its ends
        const auto b = Bson::parse(exact);
        if (!b) return;
        for (const char* path : {"a", "b", "c.d", "e", "c", "c.d.x", "nothing"}) {
            (void)b->flag(path), (void)b->number(path), (void)b->text(path), (void)b->object_id(path);
        }
    };
    touch(good);
    CHECK(Bson::parse(good)->number("c.d") == 7);
    for (std::size_t n = 0; n < good.size(); ++n) {
        touch(good.substr(0, n));
        for (int value = 0; value < 256; ++value) {
            std::string changed = good;
            changed[n] = static_cast<char>(value);
            touch(changed);
        }
        std::string cut = good.substr(0, n); // with a length that fits
        if (n >= 5) {
            cut.replace(0, 4, written_u32(static_cast<std::uint32_t>(n)));
            cut.back() = '\0';
            touch(cut);
        }
    }
}
