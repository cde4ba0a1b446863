// mysql: what servers say of themselves, by one that speaks just enough of the protocol. Real ones:
// tests/integration/mysql.py and galera.py.
#include "probes/checks/mysql_wire.hpp"
#include "tests/unit/probes/kinds.hpp"

#include <map>
#include <random>

using namespace fairway;
using namespace fairway::testing;

namespace {

std::string le(std::uint64_t n, int bytes) {
    std::string s;
    for (int i = 0; i < bytes; ++i) s += static_cast<char>((n >> (8 * i)) & 0xff);
    return s;
}
std::string packet(int number, const std::string& payload) {
    return le(payload.size(), 3) + static_cast<char>(number) + payload;
}
std::string text(const std::string& s) { return static_cast<char>(s.size()) + s; }

std::string greeting(bool tls = false) {
    const unsigned capabilities = 0x000a'8209U | (tls ? 0x800U : 0U); // 4.1, secure, plugins, database
    return packet(0, "\x0a" + std::string("5.5.5-10.11.19-MariaDB") + '\0' + le(1, 4) + "12345678" + '\0' +
                         le(capabilities & 0xffff, 2) + "\x2d" + le(2, 2) + le(capabilities >> 16, 2) +
                         '\x15' + std::string(10, '\0') + "123456789012" + '\0' + "mysql_native_password" +
                         '\0');
}
constexpr std::size_t tls_request = 36; // bytes of an SSLRequest
const std::string fine = std::string("\0\0\0\2\0\0\0", 7);
std::string error(unsigned code, const std::string& message) {
    return "\xff" + le(code, 2) + "#HY000" + message;
}

using Rows = std::vector<std::vector<std::string>>; // "null" is NULL

std::string result(const std::vector<std::string>& columns, const Rows& rows) {
    int n = 1;
    std::string out = packet(n++, le(columns.size(), 1));
    for (const std::string& c : columns)
        out += packet(n++, text("def") + text("") + text("") + text("") + text(c) + text("") + '\x0c' +
                               le(33, 2) + le(255, 4) + '\xfd' + le(0, 2) + le(0, 3));
    const std::string end = std::string("\xfe\0\0\2\0", 5);
    out += packet(n++, end);
    for (const auto& row : rows) {
        std::string values;
        for (const std::string& v : row) values += v == "null" ? "\xfb" : text(v);
        out += packet(n++, values);
    }
    return out + packet(n, end);
}

/// What is answered to a question with these words in it; the first that fits.
using Answers = std::vector<std::pair<std::string, std::string>>;

FaultServer::Serve session(Answers answers, std::string* goodbye = nullptr) {
    return [answers = std::move(answers), goodbye](Peer& p) {
        p.write(greeting());
        p.read_some();
        p.write(packet(2, fine));
        for (std::string asked = p.read_some(); asked.size() > 4; asked = p.read_some()) {
            if (goodbye) *goodbye = asked;
            if (asked[4] == '\1') break; // COM_QUIT
            std::string answer = packet(1, error(1064, "not in the script: " + asked.substr(5)));
            for (const auto& [words, said] : answers)
                if (asked.find(words) != asked.npos) {
                    answer = said;
                    break;
                }
            p.write(answer);
        }
        p.finish();
    };
}

MysqlCheck plain() {
    MysqlCheck c;
    c.user = "fairway";
    c.tls = SslMode::off;
    return c;
}

std::string variables(const Rows& rows) { return result({"Variable_name", "Value"}, rows); }
const Rows mariadb_rw = {{"read_only", "OFF"}, {"version", "10.11.19-MariaDB"}, {"wsrep_on", "OFF"}};
const Rows mariadb_ro = {{"read_only", "ON"}, {"version", "10.11.19-MariaDB"}, {"wsrep_on", "OFF"}};
const Rows mysql_ro = {{"read_only", "ON"}, {"version", "8.0.36"}, {"group_replication_group_name", ""}};

const std::vector<std::string> columns{"Master_Host", "Seconds_Behind_Master", "Last_IO_Error",
                                       "Last_SQL_Error"};
std::string replicas(const Rows& rows) { return result(columns, rows); }

Observation seen(const Rows& about, const Rows& follows) {
    return against(plain(),
                   session({{"GLOBAL VARIABLES", variables(about)}, {"ALL SLAVES", replicas(follows)}}));
}

} // namespace

TEST_CASE("mysql: who takes writes is a primary, also if it follows another (circular)") {
    std::string goodbye;
    const Observation o =
        against(plain(), session({{"GLOBAL VARIABLES", variables(mariadb_rw)}, {"ALL SLAVES", replicas({})}},
                                 &goodbye));
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts == Facts{.role = Role::primary, .read_only = false});
    CHECK(goodbye == packet(0, "\1")); // COM_QUIT: the server counts no aborted client
    const Observation circular = seen(mariadb_rw, {{"10.0.0.2", "0", "", ""}});
    CHECK_SEEN(circular, pass, ok);
    CHECK(circular.facts.role == Role::primary);
    CHECK(circular.facts.lag == std::nullopt);
}

TEST_CASE("mysql: a read-only replica is a standby; of several connections the worst lag counts") {
    const Observation one = seen(mariadb_ro, {{"10.0.0.1", "7", "", ""}});
    CHECK_SEEN(one, pass, ok);
    CHECK(one.facts == Facts{.role = Role::standby, .read_only = true, .lag = 7s});
    CHECK(seen(mariadb_ro, {{"10.0.0.1", "7", "", ""}, {"10.0.0.2", "70", "", ""}}).facts.lag == 70s);
}

TEST_CASE("mysql: a thread that stands makes the lag unknown, and says why") {
    const Observation o = seen(mariadb_ro, {{"10.0.0.1", "null", "", "Duplicate entry '1' for key"}});
    CHECK_SEEN(o, degraded, lag);
    CHECK(o.detail == "replication from 10.0.0.1 stands: Duplicate entry '1' for key");
    CHECK(o.facts.role == Role::standby);
    CHECK(o.facts.lag == std::nullopt);
    const Observation half = seen(mariadb_ro, {{"10.0.0.1", "0", "", ""}, {"10.0.0.2", "null", "lost", ""}});
    CHECK_SEEN(half, degraded, lag);
    CHECK(half.facts.lag == std::nullopt);
}

TEST_CASE("mysql: read-only and nobody's replica is neither primary nor standby") {
    const Observation o = seen(mariadb_ro, {});
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts == Facts{.read_only = true});
}

TEST_CASE("mysql: MySQL is asked in its own words, and an old one in the older") {
    const auto rows = result({"Source_Host", "Seconds_Behind_Source"}, {{"10.0.0.1", "4"}});
    CHECK(against(plain(), session({{"GLOBAL VARIABLES", variables(mysql_ro)}, {"REPLICA STATUS", rows}}))
              .facts.lag == 4s);
    CHECK(against(plain(), session({{"GLOBAL VARIABLES", variables(mysql_ro)},
                                    {"SLAVE STATUS", replicas({{"10.0.0.1", "5", "", ""}})}}))
              .facts.lag == 5s);
}

namespace {

Observation galera(const std::string& component, const std::string& ready, const std::string& state,
                   const std::string& comment) {
    const Rows about = {{"read_only", "OFF"}, {"version", "10.11.19-MariaDB"}, {"wsrep_on", "ON"}};
    return against(plain(), session({{"GLOBAL VARIABLES", variables(about)},
                                     {"GLOBAL STATUS", variables({{"wsrep_cluster_status", component},
                                                                  {"wsrep_ready", ready},
                                                                  {"wsrep_local_state", state},
                                                                  {"wsrep_local_state_comment", comment}})},
                                     {"ALL SLAVES", replicas({})}}));
}

} // namespace

TEST_CASE("mysql: a Galera node is what its component is (D2)") {
    const Observation synced = galera("Primary", "ON", "4", "Synced");
    CHECK_SEEN(synced, pass, ok);
    CHECK(synced.facts == Facts{.role = Role::primary, .quorum = true, .read_only = false});
    const Observation donor = galera("Primary", "ON", "2", "Donor/Desynced");
    CHECK_SEEN(donor, degraded, lag);
    CHECK(donor.facts.quorum == true);
    CHECK_SEEN(galera("Primary", "OFF", "1", "Joining: receiving State Transfer"), fail, starting);
    const Observation alone = galera("non-Primary", "OFF", "0", "Initialized");
    CHECK_SEEN(alone, fail, no_quorum);
    CHECK(alone.facts.quorum == false);
    CHECK_SEEN(galera("Disconnected", "OFF", "0", "Initialized"), fail, no_quorum);
}

TEST_CASE("mysql: a Galera node that refuses says that it has no quorum") {
    const Observation o = against(
        plain(), session({{"GLOBAL VARIABLES",
                           packet(1, error(1047, "WSREP has not yet prepared node for application use"))}}));
    CHECK_SEEN(o, fail, no_quorum);
    CHECK(o.facts.quorum == false);
    CHECK(o.detail == "WSREP has not yet prepared node for application use (1047)");
}

TEST_CASE("mysql: Group Replication by its members") {
    const Rows about = {{"read_only", "OFF"},
                        {"version", "8.0.36"},
                        {"group_replication_group_name", "aaaaaaaa"},
                        {"server_uuid", "u1"}};
    const auto group = [&](const Rows& members) {
        return against(plain(),
                       session({{"GLOBAL VARIABLES", variables(about)},
                                {"replication_group_members",
                                 result({"MEMBER_ID", "MEMBER_STATE", "MEMBER_ROLE"}, members)},
                                {"REPLICA STATUS", result({"Source_Host", "Seconds_Behind_Source"}, {})}}));
    };
    const Observation primary = group(
        {{"u1", "ONLINE", "PRIMARY"}, {"u2", "ONLINE", "SECONDARY"}, {"u3", "UNREACHABLE", "SECONDARY"}});
    CHECK_SEEN(primary, pass, ok);
    CHECK(primary.facts == Facts{.role = Role::primary, .quorum = true, .read_only = false});
    CHECK(group({{"u1", "ONLINE", "SECONDARY"}}).facts.role == Role::standby);
    const Observation cut_off = group({{"u1", "ONLINE", "PRIMARY"},
                                       {"u2", "UNREACHABLE", "SECONDARY"},
                                       {"u3", "UNREACHABLE", "SECONDARY"}});
    CHECK_SEEN(cut_off, fail, no_quorum);
    CHECK(cut_off.facts.quorum == false);
    CHECK_SEEN(group({{"u1", "ERROR", ""}, {"u2", "ONLINE", "PRIMARY"}}), fail, no_quorum);
    CHECK_SEEN(group({{"u1", "RECOVERING", "SECONDARY"}, {"u2", "ONLINE", "PRIMARY"}}), fail, starting);
    CHECK(group({{"u1", "OFFLINE", ""}}).facts == Facts{.role = Role::primary, .read_only = false});
}

TEST_CASE("mysql: what a server says instead of letting us in, or instead of an answer") {
    const std::map<unsigned, Reason> in_place_of_greeting = {
        {1040, Reason::reported_down}, {1129, Reason::auth_failure}, {1130, Reason::auth_failure}};
    for (const auto& [code, reason] : in_place_of_greeting) {
        const Observation o = against(plain(), [c = code](Peer& p) {
            p.write(packet(0, "\xff" + le(c, 2) + "no"));
            p.finish();
        });
        CAPTURE(code);
        CHECK(to_string(o.reason) == to_string(reason));
    }
    const std::map<unsigned, Reason> by_code = {
        {1045, Reason::auth_failure}, {1698, Reason::auth_failure},  {1049, Reason::auth_failure},
        {4151, Reason::auth_failure}, {1203, Reason::reported_down}, {3032, Reason::reported_down},
        {1053, Reason::closed},       {3168, Reason::starting},      {9999, Reason::bad_response}};
    for (const auto& [code, reason] : by_code) {
        const Observation o = against(plain(), [c = code](Peer& p) {
            p.write(greeting());
            p.read_some();
            p.write(packet(2, error(c, "no")));
            p.finish();
        });
        CAPTURE(code);
        CHECK(to_string(o.reason) == to_string(reason));
        CHECK(o.outcome == Outcome::fail);
    }
    const Observation blind = against(
        plain(), session({{"GLOBAL VARIABLES", variables(mariadb_rw)},
                          {"ALL SLAVES", packet(1, error(1227, "you need the SLAVE MONITOR privilege"))}}));
    CHECK_SEEN(blind, fail, auth_failure);
    CHECK(blind.detail == "you need the SLAVE MONITOR privilege (1227)");
}

TEST_CASE("mysql: a server may neither have the password in the clear nor our files") {
    const Authority something; // any file will do
    MysqlCheck check = plain();
    check.password_file = something.file();
    std::string sent;
    const Observation clear = against(check, [&](Peer& p) {
        p.write(greeting());
        p.read_some();
        p.write(packet(2, "\xfe" + std::string("mysql_clear_password") + '\0'));
        sent = p.read_some();
        p.finish();
    });
    CHECK_SEEN(clear, fail, auth_failure);
    CHECK(sent.empty());
    const Observation files =
        against(plain(), session({{"GLOBAL VARIABLES", packet(1, "\xfb/etc/hostname")}}, &sent));
    CHECK(files.outcome == Outcome::fail);
    check.password_file = "/nonexistent/mysql.pw";
    CHECK_SEEN(once(check, 1), unknown, internal);
}

TEST_CASE("mysql: a look that is given up gives back its socket") {
    const auto silent_after = [](int packets) {
        return [packets](Peer& p) {
            if (packets > 0) p.write(greeting());
            if (packets > 1) {
                p.read_some();
                p.write(packet(2, fine));
            }
            CHECK(p.ended()); // it has been closed, in order
        };
    };
    CHECK_SEEN(against(plain(), silent_after(0), soon), fail, timeout_first_byte);
    CHECK_SEEN(against(plain(), silent_after(1), soon), fail, timeout_first_byte);
    CHECK_SEEN(against(plain(), silent_after(2), soon), fail, timeout_first_byte);
    const DeadPort silent(DeadPort::Kind::silent);
    CHECK_SEEN(once(plain(), silent.port(), soon), fail, timeout_connect);
}

TEST_CASE("mysql: TLS as asked for") {
    const Authority authority;
    MysqlCheck strict = plain();
    strict.tls = SslMode::verify_full;
    strict.ca_file = authority.file();
    const auto with = [](Certificate c) {
        return [c = std::move(c)](Peer& p) {
            p.write(greeting(true));
            p.read(tls_request); // and nothing of the handshake that follows at once
            if (!p.start_tls(c)) return;
            p.read_some();
            p.write(packet(3, error(3168, "not available")));
            p.finish();
        };
    };
    CHECK_SEEN(against(strict, with(authority.issue("shop.test", 3600))), fail, starting);
    CHECK_SEEN(against(strict, with(authority.issue("other.test", 3600))), fail, wrong_name);
    CHECK_SEEN(against(strict, with(authority.issue("shop.test", -60))), fail, expired_certificate);
    CHECK_SEEN(against(strict, with(authority.self_signed("shop.test"))), fail, bad_certificate);
    CHECK_SEEN(against(strict, session({})), fail, tls_failure); // it has no TLS
    CHECK_SEEN(against(
                   strict,
                   [](Peer& p) {
                       p.write(greeting(true));
                       p.read_some();
                   },
                   soon),
               fail, timeout_tls);
    const auto ends = [](void (Peer::*how)()) {
        return [how](Peer& p) {
            p.write(greeting(true));
            p.read(tls_request);
            p.read_some();
            (p.*how)();
        };
    };
    CHECK_SEEN(against(strict, ends(&Peer::finish)), fail, closed);
    CHECK_SEEN(against(strict, ends(&Peer::reset)), fail, reset);

    strict.tls = SslMode::verify_ca;
    CHECK_SEEN(against(strict, with(authority.issue("other.test", 3600))), fail, starting);
    CHECK_SEEN(against(strict, with(authority.self_signed("shop.test"))), fail, bad_certificate);
    strict.tls = SslMode::require;
    strict.ca_file.clear();
    CHECK_SEEN(against(strict, with(authority.self_signed("shop.test"))), fail, starting);
    CHECK_SEEN(against(strict, session({})), fail, tls_failure);
    strict.tls = SslMode::prefer;
    CHECK_SEEN(against(strict, with(authority.self_signed("shop.test"))), fail, starting);
    CHECK_SEEN(
        against(strict, session({{"GLOBAL VARIABLES", variables(mariadb_ro)}, {"ALL SLAVES", replicas({})}})),
        pass, ok);
}

TEST_CASE("mysql: a password is proved as MySQL 8 wants it, too") {
    const std::string nonce(
        "\x0a\x2f\x4a\x6f\x4b\x49\x22\x30\x58\x4c\x72\x4a\x25\x0d\x03\x50\x52\x02\x17\x15");
    const auto proof =
        probes::proof_of("caching_sha2_password", "secret", nonce); // go-sql-driver/mysql's vector
    REQUIRE(proof);
    CHECK(*proof == "\xf4\x90\xe7\x6f\x66\xd9\xd8\x66\x65\xce\x54\xd9\x8c\x78\xd0\xac"
                    "\xfe\x2f\xb0\xb0\x8b\x42\x3d\xa8\x07\x14\x48\x73\xd3\x0b\x31\x2c");
    CHECK(probes::proof_of("caching_sha2_password", "", nonce) == "");
    CHECK_FALSE(probes::proof_of("client_ed25519", "secret", nonce));
}

TEST_CASE("mysql: no length in a packet is believed") {
    std::mt19937 random(7);
    const std::string hello = greeting().substr(4);
    for (std::size_t n = 0; n <= hello.size(); ++n) {
        const auto g = probes::greeting_in(hello.substr(0, n));
        if (g) CHECK(g->nonce.size() == 20);
    }
    for (int i = 0; i < 20'000; ++i) {
        std::string bytes(random() % 40, '\0');
        for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? 0xf8 + random() % 8 : random());
        const auto row = probes::row_in(bytes, 3);
        if (row) CHECK(row->size() == 3);
        probes::column_in(bytes);
        probes::error_in(bytes);
        probes::greeting_in(bytes);
        probes::MysqlPackets packets;
        packets.feed(bytes);
        while (packets.next()) {}
    }
}
