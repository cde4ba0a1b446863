// What the words of config/ accept, refuse and say.
#include "config/address.hpp"
#include "config/check.hpp"
#include "config/diagnostics.hpp"
#include "config/model.hpp"
#include "config/name.hpp"
#include "config/record.hpp"
#include "config/time.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>

using namespace fairway;

TEST_CASE("a duration has a unit, and its text reads back") {
    const std::pair<std::string_view, Duration> rows[] = {{"250ms", 250ms}, {"2s", 2s},   {"5m", 5min},
                                                          {"24h", 24h},     {"1d", 24h},  {"0s", 0s},
                                                          {"90s", 90s},     {"7us", 7us}, {"3ns", 3ns}};
    for (const auto& [text, d] : rows) {
        CAPTURE(text);
        REQUIRE(parse_duration(text));
        CHECK(*parse_duration(text) == d);
        CHECK(*parse_duration(to_string(d)) == d);
    }
    for (std::string_view bad : {"", "2", "s", "-2s", "+2s", "2 s", "2.5s", "2S", "2sec", "2s ", " 2s",
                                 "1h30m", "0x2s", "9223372036854775807s", "99999999999999999999s"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_duration(bad));
    }
    CHECK(to_string(90s) == "90s");
    CHECK(to_string(60s) == "1m");
    CHECK(to_string(2500ms) == "2500ms");
    CHECK(to_string(0s) == "0s");
    CHECK(to_string(Duration(48h)) == "2d");
}

TEST_CASE("times for people keep what matters") {
    const std::pair<Duration, std::string_view> rows[] = {
        {2800ms, "2.8s"}, {250s, "4m10s"},  {3h, "3h"}, {2s, "2s"},    {42700ms, "42s"},
        {120ms, "120ms"}, {412us, "412us"}, {0s, "0s"}, {50h, "2d2h"}, {-2800ms, "-2.8s"}};
    for (const auto& [d, text] : rows) CHECK(brief(d) == text);
    CHECK(to_string(WallTime(std::chrono::milliseconds(1795158013042))) == "2026-11-20T07:00:13.042Z");
}

TEST_CASE("addresses are numeric and whole") {
    for (std::string_view good : {"192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "::ffff:192.0.2.1"}) {
        CAPTURE(good);
        REQUIRE(IpAddress::parse(good));
        CHECK(IpAddress::parse(good)->to_string() == good);
    }
    for (std::string_view bad : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "192.0.2.01", "fe80::1%eth0",
                                 "[::1]", "a.b", "1::2::3"}) {
        CAPTURE(bad);
        CHECK_FALSE(IpAddress::parse(bad));
    }
    CHECK_FALSE(IpAddress::parse(std::string_view("192.0.2.1\0x", 11)));
    CHECK(IpAddress::parse("::")->unspecified());
}

TEST_CASE("a socket address has its port, and brackets where it needs them") {
    for (std::string_view good : {"192.0.2.1:53", "[2001:db8::1]:53", "127.0.0.1:0", "[::]:65535"}) {
        CAPTURE(good);
        REQUIRE(SocketAddress::parse(good));
        CHECK(SocketAddress::parse(good)->to_string() == good);
    }
    for (std::string_view bad :
         {"", "192.0.2.1", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1:053", "::1:53",
          "[192.0.2.1]:53", "[::1]", "localhost:53", "192.0.2.1:5x"}) {
        CAPTURE(bad);
        CHECK_FALSE(SocketAddress::parse(bad));
    }
}

TEST_CASE("a prefix has no bits beyond its length") {
    for (std::string_view good :
         {"203.0.113.0/24", "0.0.0.0/0", "10.128.0.0/9", "2001:db8::/33", "192.0.2.1/32"}) {
        CAPTURE(good);
        REQUIRE(Prefix::parse(good));
        CHECK(Prefix::parse(good)->to_string() == good);
    }
    for (std::string_view bad : {"203.0.113.1/24", "203.0.113.0", "203.0.113.0/33", "203.0.113.0/",
                                 "203.0.113.0/024", "2001:db8:8000::/32", "::/129", "x/8"}) {
        CAPTURE(bad);
        CHECK_FALSE(Prefix::parse(bad));
    }
    const Prefix p = *Prefix::parse("10.128.0.0/9");
    CHECK(p.contains(*IpAddress::parse("10.255.0.1")));
    CHECK_FALSE(p.contains(*IpAddress::parse("10.127.255.255")));
    CHECK_FALSE(p.contains(*IpAddress::parse("::")));
    CHECK(Prefix::parse("::/0")->contains(*IpAddress::parse("2001:db8::1")));
}

TEST_CASE("a name is lower case in wire form, with its escapes resolved") {
    CHECK(Name::parse("WWW.Example.COM") == Name::parse("www.example.com."));
    CHECK(Name::parse("www.example.com")->to_string() == "www.example.com");
    CHECK(Name::parse("www.example.com")->labels() == 3);
    CHECK(Name::parse(".")->is_root());
    CHECK(Name::parse("a\\.b.c")->labels() == 2);
    CHECK(Name::parse("a\\.b.c")->to_string() == "a\\.b.c");
    CHECK(Name::parse("\\065bc") == Name::parse("abc"));
    CHECK(Name::parse("a\\032b")->to_string() == "a\\032b");
    const std::string label(63, 'x');
    CHECK(Name::parse(label));
    CHECK_FALSE(Name::parse(label + 'x'));
    const std::string three = label + '.' + label + '.' + label + '.';
    CHECK(Name::parse(three + std::string(61, 'y')));
    CHECK_FALSE(Name::parse(three + std::string(62, 'y')));
    for (std::string_view bad : {"", "..", "a..b", ".a", "a\\", "a\\25", "a\\256", "@"}) {
        CAPTURE(bad);
        CHECK_FALSE(Name::parse(bad));
    }
}

TEST_CASE("a name without a final dot is relative to the origin") {
    const Name origin = *Name::parse("example.com");
    CHECK(Name::parse("www", origin) == Name::parse("www.example.com"));
    CHECK(Name::parse("www.", origin) == Name::parse("www"));
    CHECK(Name::parse("@", origin) == origin);
    CHECK(Name::parse("a\\.", origin)->labels() == 3);
    CHECK_FALSE(Name::parse(std::string(63, 'a') + '.' + std::string(63, 'b') + '.' + std::string(63, 'c') +
                                '.' + std::string(60, 'd'),
                            origin));
}

TEST_CASE("names know their family") {
    const Name n = *Name::parse("a.b.example.com");
    CHECK(n.is_under(*Name::parse("example.com")));
    CHECK(n.is_under(n));
    CHECK(n.is_under(Name()));
    CHECK_FALSE(n.is_under(*Name::parse("x.example.com")));
    CHECK_FALSE(Name::parse("xexample.com")->is_under(*Name::parse("example.com")));
    CHECK(n.parent() == Name::parse("b.example.com"));
    CHECK(Name().parent() == Name());
    CHECK(Name::parse("b.example.com")->child("A") == n);
    CHECK_FALSE(n.child(""));
    CHECK(Name::from_wire(n.wire()) == n);
    const std::array<std::uint8_t, 4> shorter{3, 'a', 'b', 'c'}, pointer{0xc0, 0, 0, 0};
    CHECK_FALSE(Name::from_wire(shorter));
    CHECK_FALSE(Name::from_wire(pointer));
    CHECK_FALSE(Name::from_wire({}));
}

TEST_CASE("records come back as they were put") {
    Records r;
    const Name a = *Name::parse("a.example.com"), root;
    const std::array<std::uint8_t, 4> address{192, 0, 2, 1};
    const std::vector<std::uint8_t> large(65535, 7);
    r.append(a, rrtype::a, 0xfedcba98, address);
    r.append(root, 65280, 0, large);
    r.append(a, rrtype::txt, 5, {});
    REQUIRE(r.size() == 3);
    CHECK(Name::from_wire(r[0].owner) == a);
    CHECK(r[0].type == rrtype::a);
    CHECK(r[0].ttl == 0xfedcba98);
    CHECK(std::vector(r[0].rdata.begin(), r[0].rdata.end()) == std::vector(address.begin(), address.end()));
    CHECK(r[1].rdata.size() == 65535);
    CHECK(r[1].type == 65280);
    CHECK(r[2].rdata.empty());
}

TEST_CASE("the nearest word is one that may have been meant") {
    constexpr std::string_view words[] = {"interval", "timeout", "retest", "fall", "rise"};
    CHECK(nearest("intreval", words) == "interval");
    CHECK(nearest("timeot", words) == "timeout");
    CHECK(nearest("fal", words) == "fall");
    CHECK(nearest("zebra", words).empty());
    CHECK(nearest("interval", words) == "interval");
    CHECK(nearest("", words).empty());
}

TEST_CASE("a diagnostic names as much of its place as is known") {
    Diagnostics d;
    d.error({"f.yaml", 12, 5}, "no");
    d.warning({"z.zone", 3}, "hm");
    d.error({}, "nowhere");
    CHECK(d.to_string() == "f.yaml:12:5: error: no\nz.zone:3: warning: hm\nerror: nowhere\n");
    CHECK(d.errors() == 2);
    CHECK_FALSE(d.ok());
}

namespace {

ProbeSpec web_probe() {
    auto check = std::make_shared<Check>();
    check->name = "web";
    check->kind = HttpCheck{};
    return {check, *IpAddress::parse("192.0.2.1"), 80, "www.example.com", "", "east"};
}

ProbeSpec changed(const ProbeSpec& from, void (*change)(Check&)) {
    ProbeSpec to = from;
    auto check = std::make_shared<Check>(*from.check);
    change(*check);
    to.check = check;
    return to;
}

} // namespace

TEST_CASE("identical looks share a key, and different ones do not (L6)") {
    const ProbeSpec web = web_probe();
    ProbeSpec other = web;
    other.datacenter = "west";
    CHECK(other.key() == web.key());
    CHECK(changed(web, [](Check& c) { c.name = "renamed"; }).key() == web.key());

    void (*const changes[])(Check&) = {[](Check& c) { c.timing.interval = 3s; },
                                       [](Check& c) { c.timing.fall = 4; },
                                       [](Check& c) { std::get<HttpCheck>(c.kind).path = "/x"; },
                                       [](Check& c) { std::get<HttpCheck>(c.kind).tls = true; },
                                       [](Check& c) {
                                           std::get<HttpCheck>(c.kind).headers = {{"a", "b"}};
                                       },
                                       [](Check& c) { std::get<HttpCheck>(c.kind).body = "ok"; },
                                       [](Check& c) {
                                           std::get<HttpCheck>(c.kind).status = {{200, 200}};
                                       },
                                       [](Check& c) { c.requirements.max_lag = 1s; },
                                       [](Check& c) { c.kind = TcpCheck{}; },
                                       [](Check& c) { c.watch = true; }};
    std::vector<std::string> keys{web.key()};
    for (auto* change : changes) keys.push_back(changed(web, change).key());
    other.port = 81;
    keys.push_back(other.key());
    other = web, other.host = "shop.example.com";
    keys.push_back(other.key());
    other = web, other.sni = "x";
    keys.push_back(other.key());
    std::sort(keys.begin(), keys.end());
    CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}

TEST_CASE("a key holds no secret, and no value passes for a field") {
    const auto token = changed(web_probe(), [](Check& c) {
        std::get<HttpCheck>(c.kind).headers = {{"Authorization", "Bearer hunter2"}};
    });
    CHECK(token.key().find("hunter2") == std::string::npos);
    const auto one =
        changed(web_probe(), [](Check& c) { std::get<HttpCheck>(c.kind).path = "/a\" body=\"b"; });
    const auto two = changed(web_probe(), [](Check& c) {
        std::get<HttpCheck>(c.kind).path = "/a", std::get<HttpCheck>(c.kind).body = "b";
    });
    CHECK(one.key() != two.key());
}

TEST_CASE("kinds of check know their name, their port and what they are for") {
    HttpCheck https;
    https.tls = true;
    CHECK(kind_name(https) == "https");
    CHECK(default_port(https) == 443);
    CHECK(default_port(HttpCheck{}) == 80);
    CHECK(default_port(PostgresCheck{}) == 5432);
    CHECK_FALSE(default_port(TcpCheck{}));
    CHECK_FALSE(default_port(GrpcCheck{}));
    CHECK(default_port(IcmpCheck{}) == 0); // none is needed
    CHECK(kind_name(AgentCheck{}) == "agent");
    CHECK(asked_of(TlsCheck{}, "shop.test").sni == "shop.test");
    CHECK(asked_of(GrpcCheck{.host = "a.test:1"}, "shop.test").sni == "a.test");
    CHECK(asked_of(IcmpCheck{}, "shop.test").host.empty());
    CHECK(reports_of(PostgresCheck{}).role);
    CHECK_FALSE(reports_of(TcpCheck{}).role);
    CHECK_FALSE(reports_of(HttpCheck{}).role);
    CHECK(reports_of(HttpCheck{.facts = {{.at = "/role"}}}).role);
    CHECK_FALSE(reports_of(EtcdCheck{}).lag); // what its majority has agreed to is not lost
    ProbeSpec p = web_probe();
    CHECK(p.target_text() == "192.0.2.1:80");
    p.target = *IpAddress::parse("2001:db8::1");
    CHECK(p.target_text() == "[2001:db8::1]:80");
    p.target = "pg1.east.internal";
    CHECK(p.target_text() == "pg1.east.internal:80");
    p.port = 0;
    CHECK(p.target_text() == "pg1.east.internal");
}

TEST_CASE("comparisons hold as numbers where both are, else as texts") {
    struct Row {
        const char *written, *found;
        bool holds;
    };
    for (const Row& r :
         {Row{"green", "green", true}, Row{"== green", "Green", false}, Row{"!= red", "green", true},
          Row{"3", "3.0", true}, Row{">= 3", "3", true}, Row{"> 3", "3", false}, Row{"<0.8", "0.79", true},
          Row{"<= 1e3", "1000", true}, Row{"< 5", "many", false}, Row{"!= 5", "many", true}}) {
        CAPTURE(r.written);
        CAPTURE(r.found);
        const auto c = Comparison::parse(r.written);
        REQUIRE(c);
        CHECK(c->holds(r.found) == r.holds);
        CHECK(Comparison::parse(c->to_string()) == *c);
    }
    for (const char* wrong : {"", "==", "> red", "<="}) CHECK_FALSE(Comparison::parse(wrong));
}

TEST_CASE("every kind tells all it was given in its key, and no secret") {
    const ProbeSpec web = web_probe();
    const auto key = [&](CheckKind kind, const std::string& datacenter = {}) {
        ProbeSpec p = web;
        auto check = std::make_shared<Check>(*p.check);
        check->kind = std::move(kind);
        p.check = check;
        p.datacenter = datacenter;
        return p.key();
    };
    HttpCheck http2, reuse, redirects, regex, json;
    http2.http2 = true, reuse.reuse = true, redirects.redirects = 1, regex.body_regex = "x";
    json.json = {{"/a", {}}};
    TlsSettings later;
    later.expiry_warning = 1s;
    GrpcCheck grpcs;
    grpcs.tls = true;
    const std::vector<CheckKind> kinds{http2,
                                       reuse,
                                       redirects,
                                       regex,
                                       json,
                                       TcpCheck{},
                                       TcpCheck{{"a", ""}},
                                       TcpCheck{{"", "a"}},
                                       TlsCheck{},
                                       TlsCheck{"", later, {}},
                                       DnsCheck{"a", "A", "NOERROR", {}},
                                       DnsCheck{"b", "A", "NOERROR", {}},
                                       DnsCheck{"a", "MX", "NOERROR", {}},
                                       DnsCheck{"a", "A", "REFUSED", {}},
                                       DnsCheck{"a", "A", "NOERROR", {"b"}},
                                       GrpcCheck{},
                                       GrpcCheck{"a"},
                                       grpcs,
                                       IcmpCheck{},
                                       AgentCheck{},
                                       AgentCheck{"a"},
                                       ExecCheck{{"a"}},
                                       ExecCheck{{"a", "b"}},
                                       PrometheusCheck{"u", "q", {}, {}},
                                       PrometheusCheck{"u", "q", Comparison{}, {}},
                                       PrometheusCheck{"v", "q", {}, {}},
                                       PrometheusCheck{"u", "r", {}, {}}};
    std::vector<std::string> keys{web.key()};
    for (const CheckKind& k : kinds) keys.push_back(key(k));
    std::sort(keys.begin(), keys.end());
    CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
    for (const CheckKind& k : std::vector<CheckKind>{TcpCheck{{"hunter2", ""}}, AgentCheck{"hunter2"},
                                                     ExecCheck{{"/bin/x", "hunter2"}},
                                                     PrometheusCheck{"http://hunter2@p", "q", {}, {}}})
        CHECK(key(k).find("hunter2") == std::string::npos);
    CHECK(key(ExecCheck{{"a"}}, "east") != key(ExecCheck{{"a"}}, "west"));
    CHECK(key(IcmpCheck{}, "east") == key(IcmpCheck{}, "west"));
}

TEST_CASE("services are found by name") {
    Model m;
    for (const char* name : {"a.example", "b.example", "c.example"}) {
        Service s;
        s.name = *Name::parse(name);
        m.services.push_back(s);
    }
    CHECK(m.find_service(*Name::parse("B.example")) == 1u);
    CHECK_FALSE(m.find_service(*Name::parse("d.example")));
    m.datacenters = {{.name = "east"}, {.name = "west"}};
    CHECK(m.find_datacenter("west") == 1);
    CHECK_FALSE(m.find_datacenter("We"));
}
