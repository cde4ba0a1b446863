// The running front, over loopback: UDP, TCP, publishing, binding, stopping.
#include "dns/server.hpp"
#include "tests/unit/dns/clients.hpp"

#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;
using namespace std::chrono_literals;

namespace {

SnapshotPtr answering(const char* address, std::uint64_t generation, const DnsSettings& settings = {}) {
    Model m;
    m.dns = settings;
    std::vector<std::string> lines{"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1",
                                   std::string("www 300 A ") + address};
    for (int i = 0; i < 200; ++i)
        lines.push_back("big 300 TXT \"" + std::to_string(i) + std::string(200, 'x') + "\"");
    m.zones = {zone_of("example.com", lines)};
    return compile(m, {}, generation);
}

DnsSettings listening(std::initializer_list<const char*> addresses, unsigned threads = 2) {
    DnsSettings settings;
    for (const auto* a : addresses) settings.listen.push_back(*SocketAddress::parse(a));
    settings.threads = threads;
    return settings;
}

Packet query_for(const char* name, std::uint16_t id) { return make_query(name, rrtype::any, id); }
std::string first_answer(const Packet& reply) {
    const auto d = decode(reply);
    return d && !d->answer.empty() ? d->answer[0] : "none";
}

} // namespace

TEST_CASE("both transports answer on every address, and a published snapshot is seen by the next query") {
    auto [server, problems] = Server::start(listening({"127.0.0.1:0", "[::1]:0"}), answering("192.0.2.1", 1));
    REQUIRE(server);
    REQUIRE(server->addresses().size() == 2);
    for (const auto& address : server->addresses()) {
        const auto udp = connected(address, SOCK_DGRAM), tcp = connected(address, SOCK_STREAM);
        CHECK(first_answer(over_udp(udp, query_for("www.example.com.", 1))) ==
              "www.example.com. 300 A 192.0.2.1");
        send_all(tcp, framed(query_for("www.example.com.", 2)));
        CHECK(first_answer(receive_message(tcp)) == "www.example.com. 300 A 192.0.2.1");
    }
    CHECK(server->publish(answering("192.0.2.2", 2)));
    CHECK_FALSE(server->publish(answering("192.0.2.3", 2)));
    for (const auto& address : server->addresses()) {
        for (int client = 0; client < 8; ++client) { // reaches every worker
            const auto udp = connected(address, SOCK_DGRAM);
            CHECK(first_answer(over_udp(udp, query_for("www.example.com.", 3))) ==
                  "www.example.com. 300 A 192.0.2.2");
        }
        const auto tcp = connected(address, SOCK_STREAM);
        send_all(tcp, framed(query_for("www.example.com.", 4)));
        CHECK(first_answer(receive_message(tcp)) == "www.example.com. 300 A 192.0.2.2");
    }
    const auto counts = server->counts();
    CHECK(counts.udp.queries == 18);
    CHECK(counts.udp.by_rcode[0] == 18);
    CHECK(counts.tcp.queries == 4);
    CHECK(counts.tcp.connections == 4);
}

TEST_CASE("queries in one segment, and a query octet by octet, are answered in order") {
    auto [server, problems] = Server::start(listening({"127.0.0.1:0"}, 1), answering("192.0.2.1", 1));
    REQUIRE(server);
    const auto tcp = connected(server->addresses()[0], SOCK_STREAM);
    Packet all;
    for (std::uint16_t id = 0; id < 100; ++id) {
        const auto one = framed(query_for(id % 2 ? "www.example.com." : "big.example.com.", id));
        all.insert(all.end(), one.begin(), one.end());
    }
    send_all(tcp, all);
    for (std::uint16_t id = 0; id < 100; ++id) CHECK(get16(receive_message(tcp).data()) == id);
    for (const std::uint8_t octet : framed(query_for("www.example.com.", 777))) send_all(tcp, {octet});
    CHECK(get16(receive_message(tcp).data()) == 777);
}

TEST_CASE("a client that stops sending still gets its answers, then the end") {
    auto [server, problems] = Server::start(listening({"127.0.0.1:0"}, 1), answering("192.0.2.1", 1));
    REQUIRE(server);
    const auto tcp = connected(server->addresses()[0], SOCK_STREAM);
    Packet all;
    for (std::uint16_t id = 0; id < 50; ++id) {
        const auto one = framed(query_for("big.example.com.", id)); // 2 MB in all: more than the sockets hold
        all.insert(all.end(), one.begin(), one.end());
    }
    send_all(tcp, all);
    shutdown(tcp.fd(), SHUT_WR);
    for (std::uint16_t id = 0; id < 50; ++id) CHECK(get16(receive_message(tcp).data()) == id);
    CHECK(receive(tcp, 1).empty());
}

TEST_CASE("idle, slow and surplus connections are closed; the others go on") {
    auto settings = listening({"127.0.0.1:0"}, 1);
    settings.tcp.idle = 300ms;
    settings.tcp.connections = 3;
    auto [server, problems] = Server::start(settings, answering("192.0.2.1", 1, settings));
    REQUIRE(server);
    const auto address = server->addresses()[0];
    const auto idle = connected(address, SOCK_STREAM);
    CHECK(receive(idle, 1).empty()); // returns once the server has closed it
    const auto dribble = connected(address, SOCK_STREAM);
    send_all(dribble, {0}); // half a length is not a query
    CHECK(receive(dribble, 1).empty());
    std::vector<Socket> many;
    for (std::uint16_t i = 0; i < 5; ++i) {
        many.push_back(connected(address, SOCK_STREAM));
        send_all(many.back(), framed(query_for("www.example.com.", i)));
        CHECK(get16(receive_message(many.back()).data()) == i);
    }
    const auto closed = server->counts().tcp.closed;
    CHECK(closed[static_cast<std::size_t>(TcpEnd::idle)] == 2);
    CHECK(closed[static_cast<std::size_t>(TcpEnd::crowd)] == 2);
}

TEST_CASE("an address that cannot be bound is named, with what to do") {
    auto [first, none] = Server::start(listening({"127.0.0.1:0"}, 1), answering("192.0.2.1", 1));
    REQUIRE(first);
    DnsSettings taken;
    taken.threads = 1;
    taken.listen = {first->addresses()[0], *SocketAddress::parse("203.0.113.99:53535")};
    auto [second, problems] = Server::start(taken, answering("192.0.2.1", 1));
    CHECK_FALSE(second);
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].find(first->addresses()[0].to_string() + " (TCP): address in use") == 0);
    CHECK(problems[1] == "203.0.113.99:53535 (TCP): no such address on this machine");
}

TEST_CASE("an unspecified address is every address of its family") {
    auto [server, problems] = Server::start(listening({"0.0.0.0:0"}, 1), answering("192.0.2.1", 1));
    REQUIRE(server);
    bool loopback = false;
    for (const auto& a : server->addresses()) {
        CHECK_FALSE(a.ip.unspecified());
        loopback |= a.ip == *IpAddress::parse("127.0.0.1");
    }
    CHECK(loopback);
}

// ---------------------------------------------------------------- addresses that come and go

namespace {

// The loopback interface of a network namespace that belongs to this thread and those it starts.
class Interface {
  public:
    Interface() : ioctls_(socket(AF_INET, SOCK_DGRAM, 0)) { set_flags("lo", IFF_UP); }
    void add(const char* address) {
        ifreq r = request("lo:1");
        sockaddr_storage a;
        to_sockaddr(*SocketAddress::parse(address), a);
        std::memcpy(&r.ifr_addr, &a, sizeof r.ifr_addr);
        REQUIRE(ioctl(ioctls_.fd(), SIOCSIFADDR, &r) == 0);
    }
    void remove() { set_flags("lo:1", 0); }

  private:
    static ifreq request(const char* name) {
        ifreq r{};
        std::strncpy(r.ifr_name, name, IFNAMSIZ - 1);
        return r;
    }
    void set_flags(const char* name, int flags) {
        ifreq r = request(name);
        r.ifr_flags = static_cast<short>(flags);
        REQUIRE(ioctl(ioctls_.fd(), SIOCSIFFLAGS, &r) == 0);
    }
    Socket ioctls_;
};

class Notices {
  public:
    void tell(const Server::Notice& n) {
        std::scoped_lock lock(mutex_);
        all_.push_back(n);
        arrived_.notify_one();
    }
    std::string next() {
        std::unique_lock lock(mutex_);
        if (!arrived_.wait_for(lock, std::chrono::milliseconds(patience_ms), [&] { return !all_.empty(); }))
            return "none";
        const Server::Notice n = all_.front();
        all_.pop_front();
        const char* const words[] = {"added ", "removed ", "problem "};
        return words[static_cast<int>(n.kind)] + n.text;
    }

  private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Server::Notice> all_;
};

void check_answers_at(const char* address) {
    const auto to = *SocketAddress::parse(address);
    const auto udp = connected(to, SOCK_DGRAM), tcp = connected(to, SOCK_STREAM);
    CHECK(first_answer(over_udp(udp, query_for("www.example.com.", 1))) ==
          "www.example.com. 300 A 192.0.2.1");
    send_all(tcp, framed(query_for("www.example.com.", 2)));
    CHECK(first_answer(receive_message(tcp)) == "www.example.com. 300 A 192.0.2.1");
}

void follow_addresses() {
    if (unshare(CLONE_NEWNET)) {
        MESSAGE("not tried: a network namespace needs root");
        return;
    }
    Interface lo;
    Notices notices;
    auto [server, problems] =
        Server::start(listening({"127.0.0.1:5300", "0.0.0.0:5300"}), answering("192.0.2.1", 1),
                      [&](const Server::Notice& n) { notices.tell(n); });
    REQUIRE(server);
    check_answers_at("127.0.0.1:5300");
    for (std::uint64_t round = 1; round <= 2; ++round) {
        lo.add("192.0.2.7:0");
        CHECK(notices.next() == "added 192.0.2.7:5300");
        check_answers_at("192.0.2.7:5300");
        CHECK(server->addresses().size() == 2);
        lo.remove();
        CHECK(notices.next() == "removed 192.0.2.7:5300");
        CHECK(server->addresses() == std::vector{*SocketAddress::parse("127.0.0.1:5300")});
        CHECK(server->counts().udp.queries == round + 1); // what a worker has counted outlives it
    }
    check_answers_at("127.0.0.1:5300");
}

} // namespace

TEST_CASE("an address that appears is answered on, and one that goes is dropped") {
    std::thread(follow_addresses).join();
}
