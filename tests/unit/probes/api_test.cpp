// The stateful kinds over HTTP against recorded answers (etcd 3.4.23, Patroni 3.0.2, nats-server 2.9.10 and
// RabbitMQ 3.10.8 of Debian 12), and the fault matrix for them (H8). Real ones: tests/integration/stores.py.
#include "tests/unit/probes/once.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <unistd.h>

using namespace fairway;
using namespace fairway::testing;

namespace {

struct Reply {
    int status = 200;
    std::string body;
};
using Replies = std::map<std::string, Reply>; ///< by path, without what follows a question mark

/// What was asked, whole: a POST's body may come in a segment of its own.
std::string request_of(Peer& p) {
    std::string asked = p.read_until("\r\n\r\n");
    if (asked.starts_with("POST") && asked.ends_with("\r\n\r\n")) asked += p.read_some();
    return asked;
}

std::string http(const Reply& r) {
    return "HTTP/1.1 " + std::to_string(r.status) + " X\r\nContent-Length: " + std::to_string(r.body.size()) +
           "\r\n\r\n" + r.body;
}

FaultServer::Serve answers(Replies replies) {
    return [replies = std::move(replies)](Peer& p) {
        const std::string asked = request_of(p);
        const std::size_t from = asked.find(' ') + 1, to = asked.find_first_of(" ?", from);
        const auto reply = replies.find(asked.substr(from, to - from));
        p.write(http(reply == replies.end() ? Reply{404, "{}"} : reply->second));
        p.finish();
    };
}

std::string with(std::string text, const std::string& what, const std::string& by) {
    const std::size_t at = text.find(what);
    if (at == text.npos) throw std::logic_error(what + " is not there");
    return text.replace(at, what.size(), by);
}

// ---- what was recorded

const std::string etcd_leader =
    R"({"header":{"cluster_id":"10784085139447481406","member_id":"8202764391694310566","revision":"1",)"
    R"("raft_term":"2"},"version":"3.4.23","dbSize":"20480","leader":"8202764391694310566",)"
    R"("raftIndex":"14","raftTerm":"2","raftAppliedIndex":"14","dbSizeInUse":"16384"})";
const std::string etcd_follower =
    with(etcd_leader, R"("leader":"8202764391694310566")", R"("leader":"11384744476663167065")");
const std::string etcd_nospace =
    with(etcd_leader, R"("dbSizeInUse")", R"("errors":["memberID:11384744476663167065 alarm:NOSPACE "],"d")");
const std::string etcd_alone =
    with(etcd_leader, R"("leader":"8202764391694310566",)", R"("errors":["etcdserver: no leader"],)");

Replies etcd(const std::string& status, const Reply& health = {200, R"({"health":"true"})"}) {
    return {{"/v3/maintenance/status", {200, status}}, {"/health", health}};
}

const std::string patroni_primary =
    R"({"state": "running", "postmaster_start_time": "2026-11-20 13:40:00.000000+00:00", "role": "master",)"
    R"( "server_version": 150020, "xlog": {"location": 67395656}, "timeline": 3,)"
    R"( "replication": [{"usename": "replicator", "application_name": "p2", "state": "streaming"}],)"
    R"( "dcs_last_seen": 1795181716, "database_system_identifier": "7268616322854375442",)"
    R"( "patroni": {"version": "3.0.2", "scope": "shop"}})";
const std::string patroni_replica =
    R"({"state": "running", "role": "replica", "server_version": 150020, "xlog": {"received_location":)"
    R"( 67395000, "replayed_location": 67394000, "replayed_timestamp": null, "paused": false},)"
    R"( "timeline": 3, "dcs_last_seen": 1795181716, "database_system_identifier": "7268616322854375442",)"
    R"( "patroni": {"version": "3.0.2", "scope": "shop"}})";

Replies patroni(int status, const std::string& body) { return {{"/primary", {status, body}}}; }

const std::string nats_leader =
    R"({"server_id":"NCJ35RGT77UD","now":"2026-11-20T13:36:39.5Z","config":{"max_memory":1},"api":{"total":0,)"
    R"("errors":0},"streams":0,"meta_cluster":{"name":"c","leader":"n1","peer":"fjFyEjc1","replicas":[)"
    R"({"name":"n2","current":true,"active":894118644,"peer":"44jzkV9D"},)"
    R"({"name":"n3","current":true,"active":894037243,"peer":"BXScrY9i"}],"cluster_size":3}})";
const std::string nats_follower =
    R"({"server_id":"NAGVKLQ7LNY6","config":{"max_memory":1},"meta_cluster":{"name":"c","leader":"n1",)"
    R"("peer":"fjFyEjc1","cluster_size":3}})";

Replies nats(const std::string& jsz, const Reply& health = {200, R"({"status":"ok"})"}) {
    return {{"/jsz", {200, jsz}}, {"/healthz", health}};
}

const std::string rabbitmq_nodes = R"([{"partitions":[],"name":"r1@a","running":true},)"
                                   R"({"partitions":[],"name":"r2@b","running":true},)"
                                   R"({"partitions":[],"name":"r3@c","running":true}])";
const std::string rabbitmq_alone = R"([{"partitions":[],"name":"r1@a","running":true},)"
                                   R"({"name":"r2@b","running":false},{"name":"r3@c","running":false}])";

Replies rabbitmq(const std::string& nodes, const std::map<std::string, std::string>& failing = {}) {
    Replies r{{"/api/nodes", {200, nodes}}};
    for (const char* check : {"alarms", "virtual-hosts", "node-is-quorum-critical"}) {
        const auto f = failing.find(check);
        r[std::string("/api/health/checks/") + check] =
            f == failing.end() ? Reply{200, R"({"status":"ok"})"}
                               : Reply{503, R"({"status":"failed","reason":")" + f->second + R"("})"};
    }
    return r;
}

} // namespace

TEST_CASE("D1: an etcd leader says so, with its term, its index and its cluster") {
    const Observation o = against(EtcdCheck{}, answers(etcd(etcd_leader)));
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts.to_string() == "role=primary quorum=yes epoch=2 position=14 system=10784085139447481406");
    CHECK(against(EtcdCheck{}, answers(etcd(etcd_follower))).facts.role == Role::standby);
}

TEST_CASE("D2: an etcd member without a leader or with an alarm is not ready") {
    const Observation full = against(EtcdCheck{}, answers(etcd(etcd_nospace)));
    CHECK_SEEN(full, fail, read_only);
    CHECK(full.facts.read_only == true);
    CHECK(full.facts.role == Role::primary); // it leads, and refuses writes
    CHECK_SEEN(against(EtcdCheck{}, answers(etcd(with(etcd_nospace, "NOSPACE", "CORRUPT")))), fail,
               reported_down);
    const Observation alone = against(EtcdCheck{}, answers(etcd(etcd_alone)));
    CHECK_SEEN(alone, degraded, no_quorum);
    CHECK(alone.facts.quorum == false);
    CHECK_FALSE(alone.facts.role.has_value());
}

TEST_CASE("D2: an etcd leader that cannot read by agreement has no quorum, though it still names itself") {
    const Observation o = against(EtcdCheck{}, answers(etcd(etcd_leader, {503, R"({"health":"false"})"})));
    CHECK_SEEN(o, degraded, no_quorum);
    CHECK(o.facts.quorum == false);
    const auto hangs = [](Peer& p) {
        if (request_of(p).starts_with("POST")) p.write(http({200, etcd_leader})), p.finish();
    };
    CHECK_SEEN(against(EtcdCheck{}, hangs, soon), fail, no_quorum); // it has spoken: no silence
}

TEST_CASE("etcd: a learner serves nobody") {
    CHECK_SEEN(
        against(EtcdCheck{}, answers(etcd(with(etcd_follower, R"("dbSize":)", R"("isLearner":true,"x":)")))),
        fail, role);
}

TEST_CASE("D1: Patroni's primary and its replica, as PostgreSQL's own facts") {
    const Observation p = against(PatroniCheck{}, answers(patroni(200, patroni_primary)));
    CHECK_SEEN(p, pass, ok);
    CHECK(p.facts.to_string() ==
          "role=primary read_only=no epoch=3 position=67395656 system=7268616322854375442");
    const Observation r = against(PatroniCheck{}, answers(patroni(503, patroni_replica)));
    CHECK_SEEN(r, pass, ok); // a healthy standby passes (L1)
    CHECK(r.facts.to_string() ==
          "role=standby read_only=yes epoch=3 position=67395000 system=7268616322854375442");
}

TEST_CASE("D2: a standby leader holds the lock and is not primary") {
    const std::string standby_leader =
        with(patroni_replica, R"("role": "replica")", R"("role": "standby_leader")");
    const Observation o = against(PatroniCheck{}, answers(patroni(503, standby_leader)));
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts.role == Role::standby);
    CHECK(o.detail == "standby_leader");
}

TEST_CASE("D2: with Patroni the lock without the role is no primary, nor is the role without the lock") {
    const Observation promoting = against(PatroniCheck{}, answers(patroni(200, patroni_replica)));
    CHECK_SEEN(promoting, pass, ok);
    CHECK(promoting.facts.role == Role::standby);
    const Observation unlocked = against(PatroniCheck{}, answers(patroni(503, patroni_primary)));
    CHECK_SEEN(unlocked, fail, role);
    CHECK(unlocked.facts.role == Role::standby);
}

TEST_CASE("patroni: what PostgreSQL is busy with, and a cluster that nobody leads") {
    const auto in_state = [](const std::string& state) {
        return against(PatroniCheck{},
                       answers(patroni(503, R"({"state": ")" + state + R"(", "role": "replica"})")));
    };
    CHECK_SEEN(in_state("starting"), fail, starting);
    CHECK_SEEN(in_state("creating replica"), fail, starting);
    CHECK_SEEN(in_state("stopped"), fail, reported_down);
    CHECK_SEEN(in_state("start failed"), fail, reported_down);
    const std::string unlocked =
        with(patroni_replica, R"("timeline")", R"("cluster_unlocked": true, "timeline")");
    const Observation o = against(PatroniCheck{}, answers(patroni(503, unlocked)));
    CHECK_SEEN(o, degraded, no_quorum);
    CHECK(o.facts.role == Role::standby);
    const std::string paused = with(patroni_primary, R"("timeline")", R"("pause": true, "timeline")");
    CHECK(against(PatroniCheck{}, answers(patroni(200, paused))).detail == "primary, paused");
}

TEST_CASE("D1: NATS' meta leader, a follower, a single server") {
    const Observation leader = against(NatsCheck{}, answers(nats(nats_leader)));
    CHECK_SEEN(leader, pass, ok);
    CHECK(leader.facts.to_string() == "role=primary quorum=yes system=c");
    CHECK(against(NatsCheck{}, answers(nats(nats_follower))).facts.to_string() ==
          "role=standby quorum=yes system=c");
    const Observation single = against(NatsCheck{}, answers(nats(R"({"server_id":"N","config":{}})")));
    CHECK_SEEN(single, pass, ok);
    CHECK_FALSE(single.facts.quorum.has_value());
}

TEST_CASE("D2: NATS without a meta leader, or with one that hears no majority, has no quorum") {
    const Observation lost =
        against(NatsCheck{}, answers(nats(with(nats_follower, R"("leader":"n1",)", ""))));
    CHECK_SEEN(lost, degraded, no_quorum);
    CHECK(lost.facts.quorum == false);
    const std::string one_left = with(nats_leader, "894118644", "4100000000"); // ns
    CHECK_SEEN(against(NatsCheck{}, answers(nats(one_left))), pass, ok);
    const Observation cut = against(NatsCheck{}, answers(nats(with(one_left, "894037243", "4100000000"))));
    CHECK_SEEN(cut, degraded, no_quorum);
    CHECK(cut.facts.quorum == false);
}

TEST_CASE("nats: JetStream that is off or not recovered is down, whatever the connections do") {
    CHECK_SEEN(against(NatsCheck{}, answers(nats(R"({"server_id":"N","disabled":true})"))), fail,
               reported_down);
    const Observation o =
        against(NatsCheck{}, answers(nats(nats_follower, {503, R"({"status":"unavailable",)"
                                                               R"("error":"stream behind"})"})));
    CHECK_SEEN(o, fail, reported_down);
    CHECK(o.detail == "stream behind");
}

TEST_CASE("D2: a RabbitMQ node of the smaller part has no quorum; one that must not be lost is degraded") {
    const Observation well = against(RabbitmqCheck{}, answers(rabbitmq(rabbitmq_nodes)));
    CHECK_SEEN(well, pass, ok);
    CHECK(well.facts.to_string() == "quorum=yes read_only=no");
    const Observation alone = against(RabbitmqCheck{}, answers(rabbitmq(rabbitmq_alone)));
    CHECK_SEEN(alone, degraded, no_quorum);
    CHECK(alone.facts.quorum == false);
    const Observation last =
        against(RabbitmqCheck{}, answers(rabbitmq(rabbitmq_nodes, {{"node-is-quorum-critical", "queues"}})));
    CHECK_SEEN(last, degraded, no_quorum);
    CHECK(last.facts.quorum == true);
    const std::string parted = with(rabbitmq_nodes, R"("partitions":[])", R"("partitions":["r3@c"])");
    CHECK_SEEN(against(RabbitmqCheck{}, answers(rabbitmq(parted))), degraded, no_quorum);
}

TEST_CASE("rabbitmq: an alarm anywhere stops all publishing; a virtual host that is down is down") {
    const Observation alarm =
        against(RabbitmqCheck{}, answers(rabbitmq(rabbitmq_nodes, {{"alarms", "memory"}})));
    CHECK_SEEN(alarm, fail, read_only);
    CHECK(alarm.facts.read_only == true);
    CHECK(alarm.detail == "memory");
    CHECK_SEEN(against(RabbitmqCheck{}, answers(rabbitmq(rabbitmq_nodes, {{"virtual-hosts", "/"}}))), fail,
               reported_down);
}

TEST_CASE("rabbitmq: user and password are sent, the password read at each look") {
    std::string asked;
    const std::string file =
        std::filesystem::temp_directory_path() / ("fairway-api-" + std::to_string(getpid()));
    std::ofstream(file) << "secret\n";
    RabbitmqCheck check{{.user = "fairway", .password_file = file}};
    {
        const FaultServer server([&](Peer& p) {
            asked = request_of(p);
            p.write(http({401, "{}"}));
            p.finish();
        });
        CHECK_SEEN(once(check, server.port()), fail, auth_failure);
    }
    CHECK(asked.find("Authorization: Basic ZmFpcndheTpzZWNyZXQ=\r\n") != asked.npos);
    std::filesystem::remove(file);
    CHECK_SEEN(against(check, answers(rabbitmq(rabbitmq_nodes))), unknown, internal);
}

// ---- the fault matrix

namespace {

const Authority& authority() {
    static const Authority a;
    return a;
}

ApiAccess encrypted() {
    ApiAccess api{.tls = true, .sni = "shop.test"};
    api.tls_settings.ca_file = authority().file();
    return api;
}

std::vector<CheckKind> kinds(const ApiAccess& api) {
    return {PatroniCheck{api}, EtcdCheck{api}, NatsCheck{api}, RabbitmqCheck{api}};
}

void check(const CheckKind& kind, const Observation& seen, Reason expected) {
    INFO(kind_name(kind) << ": " << seen.detail);
    CHECK(to_string(seen.reason) == to_string(expected));
    CHECK(to_string(seen.outcome) == to_string(Outcome::fail));
}

void all(const FaultServer::Serve& serve, Reason expected, Duration timeout = 5s) {
    for (const CheckKind& kind : kinds({})) check(kind, against(kind, serve, timeout), expected);
}

void all_encrypted(const Certificate& certificate, const FaultServer::Serve& serve, Reason expected,
                   Duration timeout = 5s) {
    const auto after = [&](Peer& p) {
        if (p.start_tls(certificate)) serve(p);
    };
    for (const CheckKind& kind : kinds(encrypted())) check(kind, against(kind, after, timeout), expected);
}

FaultServer::Serve says(std::string text) {
    return [text = std::move(text)](Peer& p) {
        request_of(p);
        p.write(text);
        p.half_close();
    };
}

} // namespace

TEST_CASE("H8: the stateful kinds over HTTP: nobody there, nobody answers, cut off, half an answer") {
    const DeadPort refusing(DeadPort::Kind::refusing), silent(DeadPort::Kind::silent);
    for (const CheckKind& kind : kinds({})) {
        check(kind, once(kind, refusing.port()), Reason::refused);
        check(kind, once(kind, silent.port(), soon), Reason::timeout_connect);
    }
    all([](Peer& p) { p.reset(); }, Reason::reset);
    all([](Peer& p) { p.half_close(); }, Reason::closed);
    all([](Peer&) {}, Reason::timeout_first_byte, soon);
    all([](Peer& p) { request_of(p), p.reset(); }, Reason::reset);
    all(says(""), Reason::closed);
    all(says("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), Reason::closed);
    all(
        [](Peer& p) {
            request_of(p), p.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), p.drip("{   ");
        },
        Reason::timeout_body, soon);
}

TEST_CASE("H8: the stateful kinds over HTTP: an answer that is none of theirs") {
    all(says("SSH-2.0-OpenSSH_9.2\r\n"), Reason::bad_response);
    all(says(http({200, "It works!"})), Reason::bad_response);
    all(says(http({200, "{}"})), Reason::bad_response);
    all(says(http({200, "[]"})), Reason::bad_response);
    all(says(http({200, R"({"state": "", "raftTerm": "x", "server_id": "", "role": []})"})),
        Reason::bad_response);
    all(says(http({200, std::string(200, '[')})), Reason::bad_response);
    all(says(http({404, "{}"})), Reason::wrong_status);
    all(says(http({302, "{}"})), Reason::wrong_status);
    all(says(http({401, "{}"})), Reason::auth_failure);
    all(says(http({403, "{}"})), Reason::auth_failure);
    all(says(http({200, "{\"x\":\"" + std::string(2 << 20, 'x') + "\"}"})), Reason::oversize_body);
}

TEST_CASE("H8: the stateful kinds over HTTP: TLS") {
    const Certificate good = authority().issue("shop.test", 86400 * 100);
    all_encrypted(
        good, [](Peer&) {}, Reason::timeout_first_byte, soon);
    all_encrypted(good, says(http({404, "{}"})), Reason::wrong_status);
    all_encrypted(
        authority().issue("other.test", 3600), [](Peer&) {}, Reason::wrong_name);
    all_encrypted(
        authority().issue("shop.test", -60), [](Peer&) {}, Reason::expired_certificate);
    all_encrypted(
        authority().self_signed("shop.test"), [](Peer&) {}, Reason::bad_certificate);
    for (const CheckKind& kind : kinds(encrypted()))
        check(kind, against(kind, [](Peer& p) { p.write("SSH-2.0-OpenSSH_9.2\r\n"); }), Reason::tls_failure);
}

// ---- facts of anybody's making

namespace {

HttpCheck telling() {
    using Fact = FactRule::Fact;
    HttpCheck c;
    c.facts = {{.fact = Fact::role, .at = "/role", .primary = {"leader", "master"}, .standby = {"follower"}},
               {.fact = Fact::quorum, .at = "/voters", .is = Comparison::parse(">= 2")},
               {.fact = Fact::read_only, .at = "/read_only"},
               {.fact = Fact::epoch, .at = "/term"},
               {.fact = Fact::position, .at = "/log/0"},
               {.fact = Fact::lag, .at = "/lag", .unit = 0.001},
               {.fact = Fact::weight, .at = "/share"},
               {.fact = Fact::load, .at = "/load"},
               {.fact = Fact::system, .at = "/cluster"}};
    return c;
}

} // namespace

TEST_CASE("D1: an http check takes facts from the answer") {
    const Observation o = against(
        telling(),
        says(http({200, R"({"role": "master", "voters": 3, "read_only": false, "term": "12",)"
                        R"( "log": [900], "lag": 1500, "share": "75%", "load": 0.5, "cluster": "c"})"})));
    CHECK_SEEN(o, pass, ok);
    CHECK(o.facts.to_string() ==
          "role=primary quorum=yes read_only=no epoch=12 position=900 lag=1.5s weight=75% "
          "load=0.5 system=c");
}

TEST_CASE("http: what is not there is not said, nor is an unknown role; what means nothing is no answer") {
    CHECK(against(telling(), says(http({200, R"({"role": "candidate", "lag": null})"}))).facts == Facts{});
    for (const char* bad :
         {R"({"term": -1})", R"({"lag": "soon"})", R"({"read_only": 1})", R"({"share": 2})"})
        CHECK_SEEN(against(telling(), says(http({200, bad}))), fail, bad_response);
    CHECK_SEEN(against(telling(), says(http({200, "fine"}))), fail, body_mismatch);
}
