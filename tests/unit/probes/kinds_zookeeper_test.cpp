// zookeeper: what srvr says. Real ones: tests/integration/zookeeper.py.
#include "tests/unit/probes/kinds.hpp"

using namespace fairway;
using namespace fairway::testing;

namespace {

std::string srvr(const std::string& mode, const std::string& zxid = "0x500000017") {
    return "Zookeeper version: 3.8.0-5a02a05eddb59aee6ac762f7ea82e92a68eb9c0f, built on 2022-02-25 08:49 "
           "UTC\n"
           "Latency min/avg/max: 0/0.0/0\nReceived: 3\nSent: 2\nConnections: 1\nOutstanding: 0\n"
           "Zxid: " +
           zxid + "\nMode: " + mode + "\nNode count: 5\n";
}

Observation says(const std::string& text) { return against(ZookeeperCheck{}, line(text)); }

} // namespace

TEST_CASE("zookeeper: mode is a role, and the epoch is the zxid's high half") {
    const Observation leader = says(srvr("leader"));
    CHECK_SEEN(leader, pass, ok);
    CHECK(leader.facts == Facts{.role = Role::primary, .quorum = true, .epoch = 5});
    const Observation follower = says(srvr("follower", "0x1a00000000"));
    CHECK_SEEN(follower, pass, ok);
    CHECK(follower.facts == Facts{.role = Role::standby, .quorum = true, .epoch = 26});
    CHECK(says(srvr("observer")).facts.role == Role::standby);
    CHECK(says(srvr("standalone", "0x3")).facts == Facts{.role = Role::primary, .quorum = true, .epoch = 0});
    CHECK(says(srvr("follower", "rubbish")).facts.epoch == std::nullopt);
}

TEST_CASE("zookeeper: one without the others has no quorum, whether it serves reads or nothing") {
    const Observation alone = says("This ZooKeeper instance is not currently serving requests\n");
    CHECK_SEEN(alone, fail, no_quorum);
    CHECK(alone.facts.quorum == false);
    const Observation reads = says(srvr("read-only"));
    CHECK_SEEN(reads, degraded, no_quorum);
    CHECK(reads.facts == Facts{.quorum = false, .read_only = true, .epoch = 5});
}

TEST_CASE("zookeeper: a word that is not allowed is told as what is to be done") {
    const Observation o = says("srvr is not executed because it is not in the whitelist.\n");
    CHECK_SEEN(o, fail, auth_failure);
    CHECK(o.detail == "add srvr to 4lw.commands.whitelist");
}

TEST_CASE("zookeeper: what is no answer of ZooKeeper's") {
    CHECK_SEEN(says(srvr("emperor")), fail, bad_response);
    CHECK_SEEN(says("Zookeeper version: 3.8\nZxid: 0x1\n"), fail, bad_response);
    CHECK_SEEN(says(std::string(20'000, 'x')), fail, oversize_body);
    std::string heard;
    CHECK_SEEN(against(ZookeeperCheck{},
                       [&](Peer& p) {
                           heard = p.read_some();
                           p.drip(srvr("leader").substr(0, 9));
                           p.write(srvr("leader").substr(9));
                           p.half_close();
                       }),
               pass, ok);
    CHECK(heard == "srvr");
}
