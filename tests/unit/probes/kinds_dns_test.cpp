// dns: what is asked, and what is made of an answer. How they fail to get one: fault_matrix_test.
#include "tests/unit/probes/kinds.hpp"

#include <atomic>

using namespace fairway;
using namespace fairway::testing;

namespace {

/// A reply to the one question in `request`: flags, and answers of {type, data}.
std::string reply(const std::string& request, const std::string& flags,
                  const std::vector<std::pair<char, std::string>>& answers = {}) {
    std::string r = request;
    r.replace(2, 2, flags);
    r[7] = static_cast<char>(answers.size());
    for (const auto& [type, data] : answers)
        r += std::string("\xc0\x0c\x00", 3) + type + std::string("\x00\x01\x00\x00\x00\x05\x00", 7) +
             static_cast<char>(data.size()) + data;
    return r;
}
const std::string noerror("\x81\x80", 2), nxdomain("\x81\x83", 2), servfail("\x81\x82", 2),
    truncated("\x83\x80", 2);
const std::string a_1("\xc0\x00\x02\x01", 4), a_2("\xc0\x00\x02\x02", 4);

Observation dns(const DnsCheck& check, DatagramServer::Serve serve, Duration timeout = 5s) {
    const DatagramServer server(std::move(serve));
    return once(check, server.port(), timeout);
}

} // namespace

TEST_CASE("dns: rcode and data") {
    DnsCheck check;
    check.name = "shop.test";
    const auto answers = [](std::string flags, std::vector<std::pair<char, std::string>> list = {}) {
        return [=](const std::string& q) { return reply(q, flags, list); };
    };
    const Observation good = dns(check, answers(noerror, {{1, a_1}, {1, a_2}}));
    CHECK_SEEN(good, pass, ok);
    CHECK(good.detail == "NOERROR, 2 records");
    CHECK_SEEN(dns(check, answers(servfail)), fail, wrong_status);
    CHECK_SEEN(dns(check, answers(nxdomain)), fail, wrong_status);
    check.data = {"192.0.2.2"};
    CHECK_SEEN(dns(check, answers(noerror, {{1, a_1}, {1, a_2}})), pass, ok);
    check.data = {"192.0.2.2", "192.0.2.3"};
    const Observation lacks = dns(check, answers(noerror, {{1, a_1}, {1, a_2}}));
    CHECK_SEEN(lacks, fail, body_mismatch);
    CHECK(lacks.detail == "NOERROR, without 192.0.2.3");
    check.data.clear();
    check.rcode = "NXDOMAIN";
    CHECK_SEEN(dns(check, answers(nxdomain)), pass, ok);
    check = DnsCheck{"shop.test", "TXT", "NOERROR", {"\"v=1\""}};
    CHECK_SEEN(dns(check, answers(noerror, {{16, "\x03v=1"}})), pass, ok);
    check = DnsCheck{"shop.test", "CNAME", "NOERROR", {"Other.TEST."}};
    CHECK_SEEN(dns(check, answers(noerror, {{5, std::string("\x05other\x04test\x00", 12)}})), pass, ok);
}

TEST_CASE("dns: what is no reply to the question, and none at all") {
    const DnsCheck check{"shop.test", "A", "NOERROR", {}};
    CHECK_SEEN(once(check, DeadPort(DeadPort::Kind::refusing).port()), fail, refused);
    CHECK_SEEN(dns(
                   check, [](const std::string&) { return std::string(); }, soon),
               fail, timeout_first_byte);
    CHECK_SEEN(dns(check, [](const std::string& q) { return q; }), fail, bad_response); // an echo service
    CHECK_SEEN(dns(check, [](const std::string& q) { return q.substr(0, 2) + "garbage"; }), fail,
               bad_response);
    CHECK_SEEN(dns(check, [](const std::string& q) { return q.substr(0, 2); }), fail, bad_response);
    CHECK_SEEN(dns(
                   check,
                   [](const std::string& q) { return std::string(1, static_cast<char>(q[0] + 1)) + q; },
                   soon),
               fail, timeout_first_byte); // not ours: anybody can send a datagram
    std::atomic<int> asked = 0;
    CHECK_SEEN(dns(
                   check,
                   [&](const std::string& q) {
                       return ++asked < 3 ? std::string() : reply(q, noerror, {{1, a_1}});
                   },
                   1500ms),
               pass, ok); // two datagrams lost
    CHECK(asked == 3);
}

TEST_CASE("dns: a cut answer is asked for again over TCP") {
    const DnsCheck check{"shop.test", "A", "NOERROR", {"192.0.2.1"}};
    const auto over_tcp = [&](const FaultServer::Serve& serve, Duration timeout = 5s) {
        const FaultServer tcp(serve);
        const DatagramServer udp([](const std::string& q) { return reply(q, truncated); }, tcp.port());
        return once(check, tcp.port(), timeout);
    };
    CHECK_SEEN(over_tcp([](Peer& p) {
                   const std::string q = p.read_some();
                   const std::string r = reply(q.substr(2), noerror, {{1, a_1}});
                   p.write(std::string(1, '\0') + static_cast<char>(r.size()) + r.substr(0, 5));
                   p.drip(r.substr(5, 2));
                   p.write(r.substr(7));
                   p.ended();
               }),
               pass, ok);
    CHECK_SEEN(over_tcp([](Peer& p) { p.half_close(); }), fail, closed);
    CHECK_SEEN(over_tcp([](Peer& p) { p.reset(); }), fail, reset);
    CHECK_SEEN(over_tcp([](Peer&) {}, soon), fail, timeout_first_byte);
    CHECK_SEEN(over_tcp([](Peer& p) { p.write(std::string("\x01\x00half", 6)); }, soon), fail, timeout_body);
    CHECK_SEEN(over_tcp([](Peer& p) {
                   p.flood(std::string(1 << 16, '\0'), 1 << 20);
                   p.half_close();
               }),
               fail, bad_response);
}
