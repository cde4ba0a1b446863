// Response rate limiting, in a time of its own: who is limited, how far, and what is sent instead.
#include "dns/rate_limit.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;
using namespace std::chrono_literals;
using Class = RateLimitSettings::Class;

namespace {

struct Sent {
    unsigned whole = 0, slipped = 0, dropped = 0;
    bool operator==(const Sent&) const = default;
};

// One worker's limiter and a clock.
class Front {
  public:
    explicit Front(RateLimitSettings limit, unsigned workers = 1) : limiter_(workers, 7) {
        Model m;
        m.zones = {zone_of("example.com", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1",
                                           "www 300 A 192.0.2.80", "sub 300 NS ns.elsewhere.net."})};
        m.dns.rate_limit = std::move(limit);
        m.dns.cookies.secrets = {CookieSettings::Secret{1}};
        snapshot_ = compile(m, {}, 1);
    }

    /// So many queries at one moment.
    Sent ask(unsigned times, const char* client, const char* name = "www.example.com.",
             const Packet& cookie = {}, std::uint16_t type = rrtype::a) {
        return ask(times, *IpAddress::parse(client), name, cookie, type);
    }
    Sent ask(unsigned times, const IpAddress& client, const char* name = "www.example.com.",
             const Packet& cookie = {}, std::uint16_t type = rrtype::a) {
        Sent sent;
        const Client who{client};
        Packet query = make_query(name, type);
        if (!cookie.empty()) query = with_opt(query, {1232, 0, 0, option(10, cookie)});
        while (times--) {
            Query read;
            REQUIRE(read_query(query, read));
            Packet out(max_udp);
            last = answer(read, query, *snapshot_, who, random_, out);
            last = limiter_.limit(last, read, query, *snapshot_, who, now, out);
            ++(!last.limited ? sent.whole : last.size ? sent.slipped : sent.dropped);
        }
        return sent;
    }

    RateLimiter::Clock::time_point now{1'000'000s};
    Reply last;

  private:
    RateLimiter limiter_;
    Random random_{1};
    SnapshotPtr snapshot_;
};

RateLimitSettings limited(unsigned rate, unsigned slip = 0) {
    RateLimitSettings s;
    s.rates.fill(rate);
    s.slip = slip;
    return s;
}

} // namespace

TEST_CASE("a network gets a second's worth at once, and then its rate") {
    Front front(limited(10));
    CHECK(front.ask(100, "192.0.2.1") == Sent{10, 0, 90});
    for (int second = 0; second < 20; ++second) {
        front.now += 1s;
        CHECK(front.ask(100, "192.0.2.1") == Sent{10, 0, 90});
    }
    front.now += 100ms;
    CHECK(front.ask(5, "192.0.2.1") == Sent{1, 0, 4});
    front.now += 1h; // silence is not saved up
    CHECK(front.ask(100, "192.0.2.1") == Sent{10, 0, 90});
}

TEST_CASE("under the rate nobody is limited, however long") {
    Front front(limited(10));
    for (int i = 0; i < 10'000; ++i) {
        front.now += 100ms;
        REQUIRE(front.ask(1, "192.0.2.1") == Sent{1, 0, 0});
    }
}

TEST_CASE("a network is limited as one, another is not touched") {
    RateLimitSettings settings = limited(10);
    Front front(settings);
    front.ask(100, "192.0.2.1");
    CHECK(front.ask(1, "192.0.2.254") == Sent{0, 0, 1});
    CHECK(front.ask(1, "192.0.3.1") == Sent{1, 0, 0});
    front.ask(100, "2001:db8:0:1::1");
    CHECK(front.ask(1, "2001:db8:0:ff::1") == Sent{0, 0, 1});
    CHECK(front.ask(1, "2001:db8:0:100::1") == Sent{1, 0, 0});

    settings.ipv4_length = 31;
    settings.ipv6_length = 128;
    Front narrow(settings);
    narrow.ask(100, "192.0.2.3");
    CHECK(narrow.ask(1, "192.0.2.2") == Sent{0, 0, 1});
    CHECK(narrow.ask(1, "192.0.2.1") == Sent{1, 0, 0});
    narrow.ask(100, "2001:db8::1");
    CHECK(narrow.ask(1, "2001:db8::2") == Sent{1, 0, 0});
}

TEST_CASE("each class of response has its own rate") {
    struct Row {
        const char* name;
        std::uint16_t type;
        Class c;
    };
    const Row rows[] = {{"www.example.com.", rrtype::a, Class::answer},
                        {"www.example.com.", rrtype::mx, Class::nodata},
                        {"nothing.example.com.", rrtype::a, Class::nxdomain},
                        {"x.sub.example.com.", rrtype::a, Class::referral},
                        {"example.org.", rrtype::a, Class::error}};
    RateLimitSettings settings = limited(0);
    for (unsigned i = 0; i < 5; ++i) settings.rates[i] = 10 + i;
    Front front(settings);
    for (const auto& row : rows) {
        CAPTURE(row.name);
        const unsigned rate = settings.rates[static_cast<std::size_t>(row.c)];
        CHECK(front.ask(50, "192.0.2.1", row.name, {}, row.type) == Sent{rate, 0, 50 - rate});
        CHECK(front.last.limited_as == row.c);
    }
    Front some(limited(0));
    CHECK(some.ask(1000, "192.0.2.1") == Sent{1000, 0, 0});
}

TEST_CASE("slip lets some through with TC, or BADCOOKIE for those who know cookies") {
    CHECK(Front(limited(10, 1)).ask(100, "192.0.2.1") == Sent{10, 90, 0});
    Front half(limited(10, 2));
    const Sent sent = half.ask(1010, "192.0.2.1");
    CHECK(sent.whole == 10);
    CHECK(sent.slipped > 430);
    CHECK(sent.slipped < 570);
    Front front(limited(1, 1));
    front.ask(2, "192.0.2.1");
    CHECK(front.last.truncated);
    CHECK(front.ask(2, "192.0.2.1", "www.example.com.", Packet(8, 1)) == Sent{0, 2, 0});
    CHECK(front.last.rcode == Rcode::badcookie);
}

TEST_CASE("a good cookie and a network that is exempt are not limited") {
    RateLimitSettings settings = limited(10);
    settings.exempt = {*Prefix::parse("192.0.2.128/25"), *Prefix::parse("2001:db8::/32")};
    Front front(settings);
    CHECK(front.ask(100, "192.0.2.200") == Sent{100, 0, 0});
    CHECK(front.ask(100, "2001:db8::1") == Sent{100, 0, 0});
    CHECK(front.ask(100, "192.0.2.1") == Sent{10, 0, 90});

    CookieSettings cookies{{CookieSettings::Secret{1}}, false};
    Cookie first;
    REQUIRE(first.read(Packet(8, 1)));
    const auto good = check_cookie(cookies, first, *IpAddress::parse("192.0.2.1"), 0);
    const Packet cookie(good.reply, good.reply + cookie_size);
    CHECK(front.ask(100, "192.0.2.1", "www.example.com.", cookie) == Sent{100, 0, 0});
    CHECK(front.ask(100, "192.0.2.2", "www.example.com.", cookie) == Sent{0, 0, 100}); // not its own
}

TEST_CASE("workers share the rate, and however low it is something is granted") {
    Front one_of_four(limited(100), 4);
    CHECK(one_of_four.ask(100, "192.0.2.1") == Sent{25, 0, 75});
    Front rare(limited(1), 8);
    CHECK(rare.ask(3, "192.0.2.1") == Sent{1, 0, 2});
    rare.now += 7s;
    CHECK(rare.ask(1, "192.0.2.1") == Sent{0, 0, 1});
    rare.now += 1s;
    CHECK(rare.ask(1, "192.0.2.1") == Sent{1, 0, 0});
}

TEST_CASE("a flood of forged networks does not free the one that is aimed at") {
    Front front(limited(10));
    unsigned whole = front.ask(100, "192.0.2.1").whole;
    for (unsigned i = 0; i < 130'000; ++i) { // twice as many as there are buckets, within a second
        front.now += 7us;
        const IpAddress forged{Family::v4,
                               {static_cast<std::uint8_t>(11 + (i >> 16)), static_cast<std::uint8_t>(i >> 8),
                                static_cast<std::uint8_t>(i)}};
        front.ask(1, forged);
        if (i % 1'000 == 0) whole += front.ask(1, "192.0.2.1").whole;
    }
    CHECK(whole <= 10 + 10);
}
