// What an outsider sees: one name and type in, one answer out, decoded by ldns.
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>
#include <map>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

const Client over_tcp{{}, Client::Transport::tcp};
const char* const soa = "@ 3600 SOA ns1 host 1 3600 600 86400 60";

Model model_of(std::vector<Zone> zones) {
    Model m;
    m.zones = std::move(zones);
    return m;
}

Service service(const std::string& name) {
    Service s;
    s.name = *Name::parse(name);
    return s;
}

std::vector<IpAddress> ips(std::initializer_list<const char*> texts) {
    std::vector<IpAddress> out;
    for (const auto* t : texts) out.push_back(*IpAddress::parse(t));
    return out;
}

// Two zones of which one lies in the other, and all that RFC 1034 section 4.3.2 speaks of.
SnapshotPtr world() {
    Model m = model_of({zone_of("example.com", {soa,
                                                "@ 3600 NS ns1",
                                                "@ 3600 NS ns2.elsewhere.net.",
                                                "ns1 3600 A 192.0.2.53",
                                                "@ 300 TXT \"v=spf1 -all\"",
                                                "@ 300 MX 10 mail",
                                                "@ 300 MX 20 mail.elsewhere.net.",
                                                "mail 300 A 192.0.2.25",
                                                "www 300 CNAME web",
                                                "web 300 A 192.0.2.80",
                                                "web 300 AAAA 2001:db8::80",
                                                "web 300 A 192.0.2.80",
                                                "web 200 A 192.0.2.81", // twice the same, and two TTLs
                                                "out 300 CNAME www.elsewhere.net.",
                                                "dangling 300 CNAME nothing",
                                                "loop1 300 CNAME loop2",
                                                "loop2 300 CNAME loop1",
                                                "self 300 CNAME self",
                                                "a.b.c 300 A 192.0.2.1", // b.c and c are empty
                                                "*.wild 300 A 192.0.2.7",
                                                "*.wild 300 MX 10 mx.wild",
                                                "under.wild 300 TXT \"here\"",
                                                "x.deep.wild 300 A 192.0.2.8",
                                                "*.alias 300 CNAME web",
                                                "*.self 300 CNAME a.self",
                                                "_sip._tcp 300 SRV 1 2 5060 sip",
                                                "sip 300 A 192.0.2.60",
                                                "sub 300 NS ns.sub",
                                                "sub 300 NS ns.other",
                                                "sub 300 NS ns3.elsewhere.net.",
                                                "ns.sub 300 A 192.0.2.10",
                                                "ns.sub 300 AAAA 2001:db8::10",
                                                "sub 300 DS 1 8 2 " + std::string(64, 'a'),
                                                "hidden.sub 300 A 192.0.2.11",
                                                "other 300 NS ns.other",
                                                "ns.other 300 A 192.0.2.12",
                                                "into 300 CNAME host.sub",
                                                "old 300 DNAME new",
                                                "a.new 300 A 192.0.2.90",
                                                "hidden.old 300 A 192.0.2.91",
                                                "far 300 DNAME elsewhere.net.",
                                                "grow 300 DNAME a-rather-long-label-that-grows.grow",
                                                "raw 300 TYPE65280 \\# 3 010203",
                                                "service 300 TXT \"beside\"",
                                                "to-service 300 CNAME service",
                                                "inner 300 NS ns1.inner",
                                                "ns1.inner 300 A 192.0.2.99",
                                                "inner 300 DS 2 8 2 " + std::string(64, 'b')}),
                        zone_of("inner.example.com", {soa, "@ 300 NS ns1", "ns1 300 A 192.0.2.54"})});
    m.services = {service("example.com"),      service("service.example.com"), service("*.many.example.com"),
                  service("down.example.com"), service("empty.example.com"),   service("four.example.com")};
    const auto draw = [](std::vector<IpAddress> a) {
        AnswerPlan p;
        p.kind = AnswerPlan::Kind::draw;
        p.ttl = 10;
        p.choices = {{0, std::move(a), 1}};
        return p;
    };
    AnswerPlan down, empty;
    empty.kind = AnswerPlan::Kind::nodata;
    return compile(
        m,
        std::vector<AnswerPlan>{draw(ips({"198.51.100.1"})), draw(ips({"198.51.100.2", "2001:db8:1::2"})),
                                draw(ips({"198.51.100.3"})), down, empty, draw(ips({"198.51.100.5"}))},
        1);
}

std::string looked_up(const Snapshot& s, const std::string& name, const std::string& type) {
    const auto reply = ask(s, make_query(name, type_number(type)));
    const auto d = decode(reply);
    return d ? d->text() : "not a message";
}

const std::string negative =
    "\nns example.com. 60 SOA ns1.example.com. host.example.com. 1 3600 600 86400 60";
const std::string inner_negative =
    "\nns inner.example.com. 60 SOA ns1.inner.example.com. host.inner.example.com. 1 3600 600 86400 60";
const std::string referral = "NOERROR [qr]\nns sub.example.com. 300 NS ns.other.example.com."
                             "\nns sub.example.com. 300 NS ns.sub.example.com."
                             "\nns sub.example.com. 300 NS ns3.elsewhere.net."
                             "\nar ns.other.example.com. 300 A 192.0.2.12"
                             "\nar ns.sub.example.com. 300 A 192.0.2.10"
                             "\nar ns.sub.example.com. 300 AAAA 2001:db8::10";

} // namespace

TEST_CASE("each name and type has the answer that RFC 1034 section 4.3.2 gives it") {
    const auto snapshot = world();
    struct Row {
        const char *name, *type;
        std::string expected;
    };
    const Row rows[] = {
        // what is there
        {"example.com.", "NS",
         "NOERROR [qr aa]\nan example.com. 3600 NS ns1.example.com.\nan example.com. 3600 NS "
         "ns2.elsewhere.net."
         "\nar ns1.example.com. 3600 A 192.0.2.53"},
        {"example.com.", "SOA",
         "NOERROR [qr aa]\nan example.com. 3600 SOA ns1.example.com. host.example.com. 1 3600 600 86400 60"},
        {"example.com.", "MX",
         "NOERROR [qr aa]\nan example.com. 300 MX 10 mail.example.com.\nan example.com. 300 MX 20 "
         "mail.elsewhere.net."
         "\nar mail.example.com. 300 A 192.0.2.25"},
        {"example.com.", "TXT", "NOERROR [qr aa]\nan example.com. 300 TXT \"v=spf1 -all\""},
        {"web.example.com.", "A",
         "NOERROR [qr aa]\nan web.example.com. 200 A 192.0.2.80\nan web.example.com. 200 A 192.0.2.81"},
        {"_sip._tcp.example.com.", "SRV",
         "NOERROR [qr aa]\nan _sip._tcp.example.com. 300 SRV 1 2 5060 sip.example.com."
         "\nar sip.example.com. 300 A 192.0.2.60"},
        {"raw.example.com.", "TYPE65280", "NOERROR [qr aa]\nan raw.example.com. 300 TYPE65280 \\# 3 010203"},
        // what is not
        {"web.example.com.", "TXT", "NOERROR [qr aa]" + negative},
        {"c.example.com.", "A", "NOERROR [qr aa]" + negative},
        {"b.c.example.com.", "TXT", "NOERROR [qr aa]" + negative},
        {"nothing.example.com.", "A", "NXDOMAIN [qr aa]" + negative},
        {"x.b.c.example.com.", "A", "NXDOMAIN [qr aa]" + negative},
        {"a.b.c.d.e.f.g.h.nothing.example.com.", "A", "NXDOMAIN [qr aa]" + negative},
        {"example.net.", "A", "REFUSED [qr]"},
        {"com.", "NS", "REFUSED [qr]"},
        {".", "NS", "REFUSED [qr]"},
        // CNAME
        {"www.example.com.", "A",
         "NOERROR [qr aa]\nan web.example.com. 200 A 192.0.2.80\nan web.example.com. 200 A 192.0.2.81\nan "
         "www.example.com. 300 CNAME web.example.com."},
        {"www.example.com.", "CNAME", "NOERROR [qr aa]\nan www.example.com. 300 CNAME web.example.com."},
        {"www.example.com.", "TXT",
         "NOERROR [qr aa]\nan www.example.com. 300 CNAME web.example.com." + negative},
        {"out.example.com.", "A", "NOERROR [qr aa]\nan out.example.com. 300 CNAME www.elsewhere.net."},
        {"dangling.example.com.", "A",
         "NXDOMAIN [qr aa]\nan dangling.example.com. 300 CNAME nothing.example.com." + negative},
        {"loop1.example.com.", "A",
         "NOERROR [qr aa]\nan loop1.example.com. 300 CNAME loop2.example.com.\nan loop2.example.com. 300 "
         "CNAME loop1.example.com."},
        {"self.example.com.", "A", "NOERROR [qr aa]\nan self.example.com. 300 CNAME self.example.com."},
        // wildcards
        {"x.wild.example.com.", "A", "NOERROR [qr aa]\nan x.wild.example.com. 300 A 192.0.2.7"},
        {"x.y.z.wild.example.com.", "A", "NOERROR [qr aa]\nan x.y.z.wild.example.com. 300 A 192.0.2.7"},
        {"x.y.wild.example.com.", "MX",
         "NOERROR [qr aa]\nan x.y.wild.example.com. 300 MX 10 mx.wild.example.com."
         "\nar mx.wild.example.com. 300 A 192.0.2.7"},
        {"*.wild.example.com.", "MX",
         "NOERROR [qr aa]\nan *.wild.example.com. 300 MX 10 mx.wild.example.com."
         "\nar mx.wild.example.com. 300 A 192.0.2.7"},
        {"x.wild.example.com.", "TXT", "NOERROR [qr aa]" + negative},
        {"wild.example.com.", "A", "NOERROR [qr aa]" + negative},
        {"under.wild.example.com.", "A", "NOERROR [qr aa]" + negative},
        {"x.under.wild.example.com.", "A", "NXDOMAIN [qr aa]" + negative},
        {"deep.wild.example.com.", "A", "NOERROR [qr aa]" + negative},
        {"y.deep.wild.example.com.", "A", "NXDOMAIN [qr aa]" + negative},
        {"any.alias.example.com.", "A",
         "NOERROR [qr aa]\nan any.alias.example.com. 300 CNAME web.example.com.\nan web.example.com. 200 A "
         "192.0.2.80\nan web.example.com. 200 A 192.0.2.81"},
        // delegations
        {"sub.example.com.", "A", referral},
        {"sub.example.com.", "NS", referral},
        {"host.sub.example.com.", "A", referral},
        {"ns.sub.example.com.", "A", referral},
        {"hidden.sub.example.com.", "ANY", referral},
        {"a.b.hidden.sub.example.com.", "DS", referral},
        {"sub.example.com.", "DS",
         "NOERROR [qr aa]\nan sub.example.com. 300 DS 1 8 2 " + std::string(64, 'a')},
        {"other.example.com.", "DS", "NOERROR [qr aa]" + negative},
        {"into.example.com.", "A",
         "NOERROR [qr aa]\nan into.example.com. 300 CNAME host.sub.example.com." + referral.substr(12)},
        // a zone in a zone
        {"inner.example.com.", "NS",
         "NOERROR [qr aa]\nan inner.example.com. 300 NS ns1.inner.example.com."
         "\nar ns1.inner.example.com. 300 A 192.0.2.54"},
        {"ns1.inner.example.com.", "A", "NOERROR [qr aa]\nan ns1.inner.example.com. 300 A 192.0.2.54"},
        {"x.inner.example.com.", "A", "NXDOMAIN [qr aa]" + inner_negative},
        {"inner.example.com.", "TXT", "NOERROR [qr aa]" + inner_negative},
        {"inner.example.com.", "DS",
         "NOERROR [qr aa]\nan inner.example.com. 300 DS 2 8 2 " + std::string(64, 'b')},
        // DNAME
        {"a.old.example.com.", "A",
         "NOERROR [qr aa]\nan a.new.example.com. 300 A 192.0.2.90\nan a.old.example.com. 300 CNAME "
         "a.new.example.com.\nan old.example.com. 300 DNAME new.example.com."},
        {"b.old.example.com.", "A",
         "NXDOMAIN [qr aa]\nan b.old.example.com. 300 CNAME b.new.example.com.\nan old.example.com. 300 "
         "DNAME new.example.com." +
             negative},
        {"old.example.com.", "A", "NOERROR [qr aa]" + negative},
        {"old.example.com.", "DNAME", "NOERROR [qr aa]\nan old.example.com. 300 DNAME new.example.com."},
        {"hidden.old.example.com.", "A",
         "NXDOMAIN [qr aa]\nan hidden.old.example.com. 300 CNAME hidden.new.example.com.\nan "
         "old.example.com. 300 DNAME new.example.com." +
             negative},
        {"x.y.far.example.com.", "A",
         "NOERROR [qr aa]\nan far.example.com. 300 DNAME elsewhere.net.\nan x.y.far.example.com. 300 CNAME "
         "x.y.elsewhere.net."},
        // services
        {"example.com.", "A", "NOERROR [qr aa]\nan example.com. 10 A 198.51.100.1"},
        {"example.com.", "AAAA", "NOERROR [qr aa]" + negative},
        {"service.example.com.", "AAAA", "NOERROR [qr aa]\nan service.example.com. 10 AAAA 2001:db8:1::2"},
        {"service.example.com.", "TXT", "NOERROR [qr aa]\nan service.example.com. 300 TXT \"beside\""},
        {"service.example.com.", "MX", "NOERROR [qr aa]" + negative},
        {"service.example.com.", "ANY", "NOERROR [qr aa]\nan service.example.com. 10 A 198.51.100.2"},
        {"to-service.example.com.", "A",
         "NOERROR [qr aa]\nan service.example.com. 10 A 198.51.100.2\nan to-service.example.com. 300 CNAME "
         "service.example.com."},
        {"x.y.many.example.com.", "A", "NOERROR [qr aa]\nan x.y.many.example.com. 10 A 198.51.100.3"},
        {"down.example.com.", "A", "SERVFAIL [qr]"},
        {"down.example.com.", "TXT", "NOERROR [qr aa]" + negative},
        {"empty.example.com.", "A", "NOERROR [qr aa]" + negative},
        // ANY is one set
        {"web.example.com.", "ANY",
         "NOERROR [qr aa]\nan web.example.com. 200 A 192.0.2.80\nan web.example.com. 200 A 192.0.2.81"},
        {"c.example.com.", "ANY", "NOERROR [qr aa]" + negative},
        // transfers are not for everyone
        {"example.com.", "AXFR", "REFUSED [qr]"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.name);
        CAPTURE(row.type);
        CHECK(looked_up(*snapshot, row.name, row.type) == row.expected);
    }
}

TEST_CASE("a wildcard that names itself ends well") {
    const auto d = decode(ask(*world(), make_query("b.self.example.com.", rrtype::txt)));
    REQUIRE(d);
    CHECK(d->answer.size() <= 2);
}

TEST_CASE("a DNAME that would make the name too long is YXDOMAIN") {
    const std::string prefix =
        std::string(60, 'x') + "." + std::string(60, 'y') + "." + std::string(60, 'z') + ".";
    const auto d = decode(ask(*world(), make_query(prefix + "grow.example.com.", rrtype::a), over_tcp));
    REQUIRE(d);
    CHECK(d->rcode == "YXDOMAIN");
}

TEST_CASE("the question's case is echoed, whatever it is") {
    const auto snapshot = world();
    Random random(7);
    for (int i = 0; i < 100'000; ++i) {
        auto query = make_query("x.web.example.com.", rrtype::aaaa, static_cast<std::uint16_t>(i));
        std::size_t at = header_size + (i % 2 ? 0 : 2); // one that is there, one that is not
        query.erase(query.begin() + header_size, query.begin() + static_cast<std::ptrdiff_t>(at));
        for (std::size_t k = header_size; query[k]; ++k)
            if (query[k] >= 'a' && random.next() & 1) query[k] = static_cast<std::uint8_t>(query[k] - 32);
        const auto reply = ask(*snapshot, query);
        REQUIRE(reply.size() > query.size());
        REQUIRE(std::equal(query.begin() + header_size, query.end(), reply.begin() + header_size));
        REQUIRE((reply[3] & 15) == (i % 2 ? 3 : 0));
        REQUIRE(std::equal(query.begin(), query.begin() + 2, reply.begin()));
    }
}

TEST_CASE("every name answers every type without error, or says that it is not there") {
    const auto snapshot = world();
    for (const char* name :
         {"example.com.", "web.example.com.", "c.example.com.", "www.example.com.", "wild.example.com.",
          "service.example.com.", "x.many.example.com.", "old.example.com.", "sub.example.com."})
        for (std::uint16_t type = 1; type < 300; ++type) {
            if (type == rrtype::axfr || type == rrtype::ixfr) continue;
            const auto d = decode(ask(*snapshot, make_query(name, type)));
            REQUIRE(d);
            CAPTURE(name);
            CAPTURE(type);
            REQUIRE(d->rcode == "NOERROR");
            REQUIRE(!(d->answer.empty() && d->authority.empty()));
        }
}

TEST_CASE("hints of a service's addresses are what the service answers now, for as long (N3)") {
    Model m = model_of({zone_of(
        "example.com",
        {soa, "@ 3600 NS ns1", "ns1 3600 A 192.0.2.53",
         "shop 300 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1",
         "www 300 HTTPS 1 shop ipv4hint=192.0.2.2,192.0.2.1 port=8443",
         "must 300 HTTPS 1 shop mandatory=ipv6hint ipv6hint=2001:db8::1",
         "must 300 HTTPS 2 elsewhere.net. ipv4hint=192.0.2.9",
         "only 300 HTTPS 1 shop mandatory=ipv6hint ipv6hint=2001:db8::1",
         "both 300 HTTPS 1 elsewhere.net. ipv4hint=192.0.2.9", "both 300 HTTPS 2 shop ipv4hint=192.0.2.2"})});
    m.services = {service("shop.example.com")};
    AnswerPlan plan;
    plan.kind = AnswerPlan::Kind::draw;
    plan.ttl = 10;
    plan.choices = {{0, ips({"192.0.2.2", "192.0.2.3"}), 1}};
    const auto now = compile(m, std::vector{plan}, 1);
    const auto shop = looked_up(*now, "shop.example.com.", "HTTPS");
    CHECK(shop == "NOERROR [qr aa]\nan shop.example.com. 10 HTTPS 1 . alpn=h2 ipv4hint=192.0.2.2");
    CHECK(looked_up(*now, "www.example.com.", "HTTPS") ==
          "NOERROR [qr aa]\nan www.example.com. 10 HTTPS 1 shop.example.com. port=8443 ipv4hint=192.0.2.2");
    CHECK(looked_up(*now, "must.example.com.", "HTTPS") ==
          "NOERROR [qr aa]\nan must.example.com. 300 HTTPS 2 elsewhere.net. ipv4hint=192.0.2.9");
    CHECK(looked_up(*now, "only.example.com.", "HTTPS") == "NOERROR [qr aa]" + negative);
    CHECK(looked_up(*now, "both.example.com.", "HTTPS") == // one set, one TTL (RFC 2181 section 5.2)
          "NOERROR [qr aa]\nan both.example.com. 10 HTTPS 1 elsewhere.net. ipv4hint=192.0.2.9"
          "\nan both.example.com. 10 HTTPS 2 shop.example.com. ipv4hint=192.0.2.2");

    plan.choices = {{0, ips({"2001:db8::1"}), 1}};
    CHECK(looked_up(*compile(m, std::vector{plan}, 2), "shop.example.com.", "HTTPS") ==
          "NOERROR [qr aa]\nan shop.example.com. 10 HTTPS 1 . alpn=h2 ipv6hint=2001:db8::1");
    plan.kind = AnswerPlan::Kind::servfail;
    CHECK(looked_up(*compile(m, std::vector{plan}, 3), "shop.example.com.", "HTTPS") ==
          "NOERROR [qr aa]\nan shop.example.com. 300 HTTPS 1 . alpn=h2");
}

TEST_CASE("each half of a service whose families are apart answers its own type (L11)") {
    Model m = model_of({zone_of("example.com", {soa, "@ 3600 NS ns1", "ns1 3600 A 192.0.2.53",
                                                "www 300 HTTPS 1 . ipv4hint=192.0.2.1 ipv6hint=2001:db8::2",
                                                "www 300 TXT \"beside\""})});
    m.services = {service("a.example.com"), service("www.example.com"), service("www.example.com"),
                  service("z.example.com")};
    m.services[1].family = Family::v4;
    m.services[2].family = Family::v6;
    const auto of = [](std::initializer_list<const char*> addresses, std::uint32_t ttl) {
        return AnswerPlan{.kind = AnswerPlan::Kind::draw, .ttl = ttl, .choices = {{0, ips(addresses), 1}}};
    };
    std::vector plans{of({"192.0.2.9", "2001:db8::9"}, 10), of({"192.0.2.1"}, 10), of({"2001:db8::2"}, 20),
                      of({"192.0.2.8", "2001:db8::8"}, 10)};
    const auto seen = [&](const char* name, const char* type) {
        return looked_up(*compile(m, plans, 1), name, type);
    };
    const std::string a = "NOERROR [qr aa]\nan www.example.com. 10 A 192.0.2.1",
                      aaaa = "NOERROR [qr aa]\nan www.example.com. 20 AAAA 2001:db8::2";
    CHECK(seen("www.example.com.", "A") == a);
    CHECK(seen("www.example.com.", "AAAA") == aaaa);
    CHECK(seen("www.example.com.", "ANY") == a);
    CHECK(seen("www.example.com.", "TXT") == "NOERROR [qr aa]\nan www.example.com. 300 TXT \"beside\"");
    CHECK(seen("www.example.com.", "HTTPS") == "NOERROR [qr aa]\nan www.example.com. 10 HTTPS 1 . "
                                               "ipv4hint=192.0.2.1 ipv6hint=2001:db8::2");
    CHECK(seen("a.example.com.", "AAAA") == "NOERROR [qr aa]\nan a.example.com. 10 AAAA 2001:db8::9");
    CHECK(seen("z.example.com.", "AAAA") == "NOERROR [qr aa]\nan z.example.com. 10 AAAA 2001:db8::8");

    plans[1] = {.kind = AnswerPlan::Kind::nodata};
    CHECK(seen("www.example.com.", "A") == "NOERROR [qr aa]" + negative);
    CHECK(seen("www.example.com.", "AAAA") == aaaa);
    CHECK(seen("www.example.com.", "ANY") == aaaa);
    plans[2] = {};
    CHECK(seen("www.example.com.", "AAAA") == "SERVFAIL [qr]");
    CHECK(seen("www.example.com.", "HTTPS") == "NOERROR [qr aa]\nan www.example.com. 300 HTTPS 1 .");
}

TEST_CASE("a choice that is a name is a CNAME, whatever is asked for, and is followed where it leads here") {
    Model m =
        model_of({zone_of("example.com", {soa, "@ 3600 NS ns1", "ns1 3600 A 192.0.2.53", "lb 300 A 192.0.2.7",
                                          "www 300 HTTPS 1 cdn ipv4hint=192.0.2.1"})});
    m.services = {service("*.tree.example.com"), service("cdn.example.com"), service("near.example.com")};
    const auto named = [](const char* name) {
        AnswerPlan plan{.kind = AnswerPlan::Kind::draw, .ttl = 10};
        plan.choices = {{.endpoint = 0, .weight = 1, .cname = Name::parse(name)}};
        return plan;
    };
    const auto now = compile(
        m, std::vector{named("lb.elsewhere.net."), named("lb.elsewhere.net."), named("lb.example.com.")}, 1);
    const std::string alias = "NOERROR [qr aa]\nan cdn.example.com. 10 CNAME lb.elsewhere.net.";
    for (const char* type : {"A", "AAAA", "TXT", "CNAME", "ANY"})
        CHECK(looked_up(*now, "cdn.example.com.", type) == alias);
    CHECK(looked_up(*now, "a.b.tree.example.com.", "MX") ==
          "NOERROR [qr aa]\nan a.b.tree.example.com. 10 CNAME lb.elsewhere.net.");
    const std::string near = "\nan near.example.com. 10 CNAME lb.example.com.";
    CHECK(looked_up(*now, "near.example.com.", "A") ==
          "NOERROR [qr aa]\nan lb.example.com. 300 A 192.0.2.7" + near);
    CHECK(looked_up(*now, "near.example.com.", "AAAA") == "NOERROR [qr aa]" + near + negative);
    CHECK(looked_up(*now, "near.example.com.", "CNAME") == "NOERROR [qr aa]" + near);
    // hints of a host that is a name now are nobody's addresses
    CHECK(looked_up(*now, "www.example.com.", "HTTPS") ==
          "NOERROR [qr aa]\nan www.example.com. 300 HTTPS 1 cdn.example.com.");

    // beside addresses, each is answered in its turn and never both
    AnswerPlan mixed = named("lb.elsewhere.net.");
    mixed.choices.push_back({1, ips({"192.0.2.1"}), 1});
    const auto both = compile(m, std::vector{mixed, mixed, mixed}, 2);
    const std::string address = "NOERROR [qr aa]\nan cdn.example.com. 10 A 192.0.2.1";
    std::map<std::string, int> seen;
    for (std::uint64_t seed = 1; seed <= 200; ++seed)
        ++seen[decode(ask(*both, make_query("cdn.example.com.", rrtype::a), {}, seed)).value().text()];
    CHECK(seen.size() == 2);
    CHECK(seen[alias] > 0);
    CHECK(seen[address] > 0);
}

TEST_CASE("additional data is left out where it does not fit, and sets no TC") {
    std::vector<std::string> lines{soa, "@ 3600 NS ns1", "ns1 3600 A 192.0.2.53"};
    for (int i = 0; i < 12; ++i) {
        const std::string host = "mail-" + std::to_string(i);
        lines.push_back("@ 300 MX 10 " + host);
        lines.push_back(host + " 300 A 192.0.2." + std::to_string(i));
        lines.push_back(host + " 300 AAAA 2001:db8::" + std::to_string(i));
    }
    const auto snapshot = compile(model_of({zone_of("example.com", lines)}), {}, 1);
    const Packet query = make_query("example.com.", type_number("MX"));
    const Packet small = ask(*snapshot, query), large = ask(*snapshot, with_opt(query, {}));
    const auto some = decode(small), all = decode(large);
    REQUIRE((some && all));
    CHECK(some->flags == "qr aa");
    CHECK(some->answer.size() == 12);
    CHECK(small.size() <= plain_udp);
    CHECK(some->additional.size() > 0);
    CHECK(some->additional.size() < 24);
    CHECK(all->additional.size() == 24);
    CHECK(all->answer == some->answer);
}
