// The kinds that talk in lines or in nothing at all: tcp, agent, icmp; and where looks come from. How they
// fail to get one: fault_matrix_test.
#include "tests/unit/probes/kinds.hpp"

#include <cstdlib>
#include <future>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace fairway;
using namespace fairway::testing;

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
    for (const char* text : {"maint#us\n", "failed\n", "stopped\n", "drain down\n", "100% fail\n"})
        CHECK_SEEN(says(text), fail, reported_down);
    for (const char* text : {"drain\n", "up 0%\n", "100% drain\n", "drain#for the weekend\n", "0% 50%\n"}) {
        const Observation drained = says(text); // it works, and asks for no traffic
        CHECK_SEEN(drained, pass, ok);
        CHECK(drained.facts.weight == 0.0);
    }
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
    CHECK_SEEN(looks(check, at_loopback(server.port()), 1).front(), pass, ok);
    CHECK(seen.get_future().get() == "127.0.0.77");
    check.source = {IpAddress::parse("192.0.2.1").value()}; // not this machine's
    CHECK_SEEN(looks(check, at_loopback(server.port()), 1).front(), unknown, local_limit);
}
