// P10: what was measured elsewhere and told to us, and what it makes of the clients.
#include "config/enclosing.hpp"
#include "policies/learned.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <doctest/doctest.h>

#include <random>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

const WallTime noon{std::chrono::sys_days(std::chrono::year(2026) / 11 / 20) + 12h};

Prefix net(const std::string& text) { return Prefix::parse(text).value(); }

LatencyBook empty(std::size_t networks = 4096, Duration half_life = 1h) {
    return LatencyBook({.networks = networks, .half_life = half_life}, {});
}

void tell(LatencyBook& book, const std::string& network, const std::string& dc, double ms, WallTime at,
          int times = 3) {
    for (int i = 0; i < times; ++i) book.add({net(network), dc, ms}, at + i * 1s);
}

std::optional<unsigned> used(const LatencyBook& book, const std::string& network, const std::string& dc) {
    for (const auto& r : book.used())
        if (r.network == net(network))
            for (const auto& s : r.sites)
                if (s.datacenter == dc) return s.used_ms;
    return std::nullopt;
}

/// Round-trip time to the first datacenter that a client's class says.
std::optional<double> rtt(const Clients& clients, const std::string& address, DatacenterIndex dc = 0) {
    Enclosing holders(clients.networks);
    const auto* n = holders.of({IpAddress::parse(address).value(), 32});
    const auto& k = clients.classes[n ? n->client_class : 0];
    return dc < k.rtt_ms.size() ? k.rtt_ms[dc] : std::nullopt;
}

} // namespace

TEST_CASE("P10: three measurements are an observation, one may be an accident") {
    LatencyBook book = empty();
    tell(book, "192.0.2.0/24", "east", 20, noon, 2);
    CHECK_FALSE(book.settle(noon + 2s));
    CHECK_FALSE(used(book, "192.0.2.0/24", "east"));
    tell(book, "192.0.2.0/24", "east", 20, noon + 3s, 1);
    CHECK(book.settle(noon + 4s));
    CHECK(used(book, "192.0.2.0/24", "east") == 20);
    CHECK_FALSE(book.settle(noon + 5s)); // nothing new
}

TEST_CASE("P10: what is told finer than a resolver tells of its clients is one network") {
    LatencyBook book = empty();
    for (auto network : {"192.0.2.0/32", "192.0.2.77/32", "192.0.2.128/25"})
        book.add({net(network), "east", 30}, noon);
    for (auto network : {"2001:db8:1:2::/64", "2001:db8:1:3::1/128", "2001:db8:1::/48"})
        book.add({net(network), "east", 40}, noon);
    book.settle(noon);
    CHECK(used(book, "192.0.2.0/24", "east") == 30);
    CHECK(used(book, "2001:db8:1::/48", "east") == 40);
    CHECK(book.all().size() == 2);
}

TEST_CASE("P10: noise moves nobody, a change that lasts moves what is used") {
    LatencyBook book = empty();
    tell(book, "192.0.2.0/24", "east", 20, noon, 20);
    book.settle(noon + 1min);
    std::mt19937 random(7);
    std::normal_distribution<double> noise(20, 4);
    bool moved = false;
    for (int i = 0; i < 500; ++i) {
        book.add({net("192.0.2.0/24"), "east", std::max(1.0, noise(random))}, noon + 1min + i * 1s);
        moved |= book.settle(noon + 1min + i * 1s);
    }
    CHECK_FALSE(moved);
    WallTime later = noon + 10min;
    for (int i = 0; i < 2000 && !moved; ++i) {
        book.add({net("192.0.2.0/24"), "east", 60}, later += 10s);
        moved = book.settle(later);
    }
    CHECK(moved);
    CHECK(*used(book, "192.0.2.0/24", "east") > 20);
    for (int i = 0; i < 3000; ++i) {
        book.add({net("192.0.2.0/24"), "east", 60}, later += 10s);
        book.settle(later);
    }
    CHECK(*used(book, "192.0.2.0/24", "east") >= 54); // within a step of it
}

TEST_CASE("P10: an old measurement counts half as much each half-life, and is forgotten in the end") {
    LatencyBook book = empty(4096, 10min);
    tell(book, "192.0.2.0/24", "east", 100, noon, 8);
    for (int i = 0; i < 8; ++i) book.add({net("192.0.2.0/24"), "east", 40}, noon + 10min);
    double mean = book.all()[0].sites[0].mean_ms;
    CHECK(mean == doctest::Approx(60).epsilon(0.01)); // 8 old ones weigh as much as 4 new ones
    book.settle(noon + 10min);
    REQUIRE(used(book, "192.0.2.0/24", "east"));
    CHECK_FALSE(book.settle(noon + 60min)); // 12 measurements, five half-lives: still 0.375
    CHECK(book.settle(noon + 90min));
    CHECK(book.all().empty());
    auto stored = book.changed();
    REQUIRE(stored.size() == 1);
    CHECK(stored[0].sites.empty()); // what is stored is forgotten, too
}

TEST_CASE("P10: memory is bounded: what is known least makes room") {
    LatencyBook book = empty(3);
    for (int i = 0; i < 3; ++i) tell(book, "10.0." + std::to_string(i) + ".0/24", "east", 20, noon, 3 + i);
    book.settle(noon + 10s);
    tell(book, "10.0.9.0/24", "east", 20, noon + 11s, 9);
    CHECK(book.all().size() == 3);
    CHECK(book.settle(noon + 20s)); // one that was used is gone
    CHECK_FALSE(used(book, "10.0.0.0/24", "east"));
    CHECK(used(book, "10.0.9.0/24", "east") == 20);
    book.configure({.networks = 1, .half_life = 1h});
    CHECK(book.settle(noon + 30s));
    CHECK(book.all().size() == 1);
}

TEST_CASE("a restart knows what was known, and uses what was used") {
    LatencyBook book = empty();
    tell(book, "192.0.2.0/24", "east", 20, noon, 5);
    book.settle(noon + 10s);
    for (int i = 0; i < 3; ++i) book.add({net("192.0.2.0/24"), "east", 24}, noon + 20s); // within a step
    LatencyBook again({}, book.changed());
    CHECK_FALSE(again.settle(noon + 30s));
    CHECK(used(again, "192.0.2.0/24", "east") == 20);
    CHECK(again.all()[0].sites[0].mean_ms == doctest::Approx(book.all()[0].sites[0].mean_ms));
}

TEST_CASE("P10: what was learned is laid over the map, and the longest prefix wins") {
    Model m = world(2);
    auto& c = m.clients;
    c.classes.push_back({.rtt_ms = {50.0, 60.0}, .region = "eu"});
    c.classes.push_back({.rtt_ms = {5.0, 90.0}, .region = "us"});
    c.networks = {{net("10.0.0.0/8"), 1}, {net("10.7.0.0/16"), 2}, {net("10.7.7.192/26"), 2}};
    LatencyBook book = empty();
    const std::string east = m.datacenters[0].name;
    tell(book, "10.1.1.0/24", east, 80, noon);
    tell(book, "10.7.0.0/16", east, 70, noon);
    tell(book, "10.7.7.0/24", east, 71, noon);
    tell(book, "203.0.113.0/24", east, 33, noon);
    tell(book, "10.2.2.0/24", "a datacenter that is no more", 1, noon);
    book.settle(noon + 5s);
    const Clients all = over(m, c, book.used());
    CHECK(rtt(all, "10.1.1.9") == 80);
    CHECK(rtt(all, "10.1.1.9", 1) == 60); // what is not measured stays as it is configured
    CHECK(rtt(all, "10.1.2.9") == 50);
    CHECK(rtt(all, "10.7.1.1") == 70);
    CHECK(rtt(all, "10.7.7.1") == 71);
    CHECK(rtt(all, "10.7.7.200") == 5); // the configured /26 is longer
    CHECK(rtt(all, "203.0.113.1") == 33);
    CHECK_FALSE(rtt(all, "203.0.114.1"));
    CHECK(rtt(all, "10.2.2.1") == 50);
    CHECK(std::ranges::is_sorted(all.networks, {}, [](auto& n) { return n.prefix; }));
    CHECK(all.classes[all.networks[0].client_class].region == "eu");
    CHECK(over(m, c, {}).networks == c.networks);
}

TEST_CASE("networks that say the same share a class") {
    Model m = world(2);
    LatencyBook book = empty();
    for (int i = 0; i < 50; ++i)
        tell(book, "10.0." + std::to_string(i) + ".0/24", m.datacenters[0].name, 20, noon);
    book.settle(noon + 5s);
    CHECK(over(m, m.clients, book.used()).classes.size() == 2);
}
