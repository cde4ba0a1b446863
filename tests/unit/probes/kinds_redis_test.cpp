// redis: what a server, a Sentinel and a node of a cluster say. Real ones: tests/integration/redis.py.
#include "probes/checks/resp.hpp"
#include "tests/unit/probes/kinds.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace fairway;
using namespace fairway::probes;
using namespace fairway::testing;

namespace {

using Mode = RedisCheck::Mode;

std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}
std::string list(const std::vector<std::string>& words) {
    std::string out = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& w : words) out += bulk(w);
    return out;
}
const std::string pong = "+PONG\r\n";

RedisCheck check_in(Mode mode) {
    RedisCheck c;
    c.mode = mode;
    if (mode == Mode::sentinel) c.group = "shop";
    return c;
}

Observation says(const std::string& text, Mode mode = Mode::server) {
    return against(check_in(mode), [&](Peer& p) {
        p.read_some();
        p.write(text);
        p.ended();
    });
}
Observation info(const std::string& lines) { return says(pong + bulk("# Replication\r\n" + lines)); }

const std::string replica =
    "role:slave\r\nmaster_host:10.0.0.1\r\nmaster_port:6379\r\nslave_repl_offset:4711\r\n"
    "slave_read_only:1\r\n";

std::string master(const std::string& ip, const std::string& flags = "master",
                   const std::string& epoch = "7") {
    return list(
        {"name", "shop", "ip", ip, "port", "6379", "flags", flags, "config-epoch", epoch, "quorum", "2"});
}
const std::string enough = "+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n";
const std::string too_few =
    "-NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the majority\r\n";

} // namespace

TEST_CASE("redis: a master and a replica; lag is how long nothing has come") {
    const Observation m =
        info("role:master\r\nconnected_slaves:2\r\nmaster_replid:ab\r\nmaster_repl_offset:4800\r\n");
    CHECK_SEEN(m, pass, ok);
    CHECK(m.detail == "master, 2 replicas");
    CHECK(m.facts == Facts{.role = Role::primary, .read_only = false, .position = 4800});
    const Observation r = info(replica + "master_link_status:up\r\nmaster_last_io_seconds_ago:3\r\n");
    CHECK_SEEN(r, pass, ok);
    CHECK(r.detail == "replica of 10.0.0.1:6379");
    CHECK(r.facts == Facts{.role = Role::standby, .read_only = true, .position = 4711, .lag = 3s});
}

TEST_CASE("redis: a replica that has lost its master is degraded, and its lag grows from then on") {
    const Observation lost = info(
        replica + "master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:0\r\n"
                  "master_link_down_since_seconds:42\r\n");
    CHECK_SEEN(lost, degraded, lag);
    CHECK(lost.facts.lag == 42s);
    const Observation never = info(
        replica + "master_link_status:down\r\nmaster_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:1\r\n"
                  "master_link_down_since_seconds:-1\r\n");
    CHECK_SEEN(never, degraded, lag);
    CHECK(never.facts.role == Role::standby);
    CHECK(never.facts.lag == std::nullopt);
    CHECK(never.detail.find("copies its data") != std::string::npos);
}

TEST_CASE("redis: what it says instead of PONG") {
    const auto refuses = [](const std::string& error) {
        return says("-" + error + "\r\n" + bulk("role:master\r\n"));
    };
    CHECK_SEEN(refuses("LOADING Redis is loading the dataset in memory"), fail, starting);
    CHECK_SEEN(refuses("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."),
               fail, lag);
    CHECK_SEEN(refuses("NOAUTH Authentication required."), fail, auth_failure);
    CHECK_SEEN(refuses("WRONGPASS invalid username-password pair or user is disabled."), fail, auth_failure);
    CHECK_SEEN(refuses("NOPERM this user has no permissions to run the 'ping' command"), fail, auth_failure);
    CHECK_SEEN(refuses("DENIED Redis is running in protected mode"), fail, auth_failure);
    CHECK_SEEN(refuses("ERR AUTH <password> called without any password configured"), fail, auth_failure);
    CHECK_SEEN(refuses("BUSY Redis is busy running a script."), fail, reported_down);
    CHECK_SEEN(refuses("MISCONF Redis is configured to save RDB snapshots, but it cannot"), fail, read_only);
    CHECK_SEEN(refuses("ERR unknown command"), fail, bad_response);
    const Observation full =
        against(check_in(Mode::server), [](Peer& p) { // says so before it is asked, and ends
            p.write("-ERR max number of clients reached\r\n");
            p.finish();
        });
    CHECK_SEEN(full, fail, reported_down);
}

TEST_CASE("redis: a password is given first, and never told") {
    const auto file = std::filesystem::temp_directory_path() / ("fairway-redis-" + std::to_string(getpid()));
    std::ofstream(file) << "hunter2\n";
    RedisCheck check;
    check.password_file = file;
    std::string heard;
    const auto serve = [&](Peer& p) {
        heard = p.read_some();
        p.write("+OK\r\n" + pong + bulk("role:master\r\nconnected_slaves:0\r\n"));
        p.ended();
    };
    CHECK_SEEN(against(check, serve), pass, ok);
    CHECK(heard == list({"AUTH", "hunter2"}) + list({"PING"}) + list({"INFO", "replication"}));
    check.user = "fairway";
    CHECK_SEEN(against(check, serve), pass, ok);
    CHECK(heard.starts_with(list({"AUTH", "fairway", "hunter2"})));
    std::filesystem::remove(file);
    CHECK_SEEN(against(check, serve), unknown, internal);
}

TEST_CASE("redis: a Sentinel says whether the master is here, by its config epoch") {
    const Observation here = says(pong + master("127.0.0.1") + enough, Mode::sentinel);
    CHECK_SEEN(here, pass, ok);
    CHECK(here.facts == Facts{.role = Role::primary, .quorum = true, .epoch = 7});
    const Observation there = says(pong + master("10.0.0.2") + enough, Mode::sentinel);
    CHECK_SEEN(there, pass, ok);
    CHECK(there.detail == "the master is 10.0.0.2:6379");
    CHECK(there.facts == Facts{.role = Role::standby, .quorum = true, .epoch = 7});
}

TEST_CASE("redis: a Sentinel without a majority claims nothing, nor does one whose master is down") {
    const Observation alone = says(pong + master("127.0.0.1") + too_few, Mode::sentinel);
    CHECK_SEEN(alone, degraded, no_quorum);
    CHECK(alone.facts == Facts{.quorum = false, .epoch = 7});
    const Observation down =
        says(pong + master("127.0.0.1", "s_down,o_down,master") + enough, Mode::sentinel);
    CHECK_SEEN(down, degraded, starting);
    CHECK(down.facts == Facts{.quorum = true, .epoch = 7});
    CHECK_SEEN(says(pong + "-ERR No such master with that name\r\n" + enough, Mode::sentinel), fail,
               bad_response);
    CHECK_SEEN(says(pong + "*0\r\n" + enough, Mode::sentinel), fail, bad_response);
}

TEST_CASE("redis: a cluster's state is its quorum") {
    const auto cluster = [](const std::string& lines) { return says(pong + bulk(lines), Mode::cluster); };
    const Observation ok =
        cluster("cluster_state:ok\r\ncluster_slots_ok:16384\r\ncluster_current_epoch:9\r\n");
    CHECK_SEEN(ok, pass, ok);
    CHECK(ok.facts == Facts{.quorum = true, .epoch = 9});
    const Observation failed =
        cluster("cluster_state:fail\r\ncluster_slots_ok:10923\r\ncluster_current_epoch:9\r\n");
    CHECK_SEEN(failed, fail, no_quorum);
    CHECK(failed.facts.quorum == false);
    CHECK_SEEN(says("-CLUSTERDOWN The cluster is down\r\n" + bulk(""), Mode::cluster), fail, no_quorum);
    CHECK_SEEN(says(pong + "-ERR This instance has cluster support disabled\r\n", Mode::cluster), fail,
               bad_response);
}

TEST_CASE("redis: replies come in pieces, and are bounded") {
    CHECK_SEEN(against(check_in(Mode::server),
                       [](Peer& p) {
                           p.read_some();
                           const std::string text = pong + bulk("role:master\r\nconnected_slaves:0\r\n");
                           p.drip(text.substr(0, 12));
                           p.write(text.substr(12));
                           p.ended();
                       }),
               pass, ok);
    CHECK_SEEN(says(pong + "$100000000\r\n"), fail, bad_response);
    CHECK_SEEN(says(pong + "$65536\r\n" + std::string(70'000, 'x')), fail, oversize_body);
    CHECK_SEEN(says(pong + "*2000\r\n"), fail, bad_response);
    CHECK_SEEN(says(pong + "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n"), fail, bad_response);
    CHECK_SEEN(says(pong + "$3\r\nabcde"), fail, bad_response);
    CHECK_SEEN(says(pong + "$x\r\n"), fail, bad_response);
    CHECK_SEEN(says(pong + bulk("role:sentinel\r\n")), fail, bad_response);
}

TEST_CASE("redis: a reply is read however it is cut") {
    const std::string all = "+OK\r\n-ERR no\r\n:42\r\n$-1\r\n" + list({"a", "1", "b", ""}) + "*0\r\n";
    for (std::size_t cut = 0; cut <= all.size(); ++cut) {
        RespReader reader;
        std::vector<RespReply> got;
        const auto take = [&] {
            while (auto reply = reader.next()) got.push_back(*reply);
        };
        REQUIRE(reader.feed(all.substr(0, cut)));
        take();
        REQUIRE(reader.feed(all.substr(cut)));
        take();
        CHECK_FALSE(reader.broken());
        REQUIRE(got.size() == 6);
        CHECK(got[1].word() == "ERR");
        CHECK(got[2].text == "42");
        CHECK(got[3].kind == RespReply::Kind::nothing);
        CHECK(got[4].value("a") == "1");
        CHECK(got[4].value("b").empty());
        CHECK(got[5].items.empty());
    }
}
