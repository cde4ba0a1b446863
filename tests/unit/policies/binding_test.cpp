// L6: what a service's checks come down to.
#include "policies/binding.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Target named(const std::string& host, std::optional<std::uint16_t> port = {}) { return {host, port}; }

/// A model whose check `web` is changed by the test.
template<class F> Model world_with_web(std::size_t sites, F change) {
    Model m = world(sites);
    Check check = *m.checks[web];
    change(check);
    m.checks[web] = std::make_shared<Check>(check);
    return m;
}

} // namespace

TEST_CASE("L6: identical looks are one member, shared by all who need it") {
    Model m = world_with_web(1, [](Check& c) { std::get<HttpCheck>(c.kind).host = "health"; });
    for (int i = 0; i < 100; ++i) serve(m, "s" + std::to_string(100 + i), Weighted{});
    Binding b = bind(m);
    CHECK(b.probes.size() == 1);
    for (auto& s : b.services) CHECK(s[0].application[0].members == std::vector<MemberSlot>{0});
}

TEST_CASE("H7: Host and SNI are the service's name unless the check says otherwise") {
    struct Row {
        std::string host, sni, expected_host, expected_sni;
    };
    for (const Row& r :
         {Row{"", "", "www.test", "www.test"}, Row{"x.test", "", "x.test", "x.test"},
          Row{"x.test:8443", "", "x.test:8443", "x.test"}, Row{"", "s.test", "www.test", "s.test"}}) {
        Model m = world_with_web(1, [&](Check& c) {
            std::get<HttpCheck>(c.kind).host = r.host;
            std::get<HttpCheck>(c.kind).sni = r.sni;
        });
        serve(m, "www", Weighted{});
        Binding b = bind(m);
        CHECK(b.probes.at(0).host == r.expected_host);
        CHECK(b.probes.at(0).sni == r.expected_sni);
    }
}

TEST_CASE("two names on one address are two looks when the Host differs") {
    Model m = world(1);
    serve(m, "a", Weighted{});
    serve(m, "b", Weighted{});
    CHECK(bind(m).probes.size() == 2);
}

TEST_CASE("L6: an application check looks at each answered address, a stateful one judges the endpoint") {
    Model m = world(1);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[0].addresses = {ip("10.1.0.1"), ip("2001:db8::1")};
    s.stateful = on(db);
    Binding b = bind(m);
    const BoundEndpoint& e = b.services[0][0];
    CHECK(e.application.at(0).per_address);
    CHECK(e.application.at(0).members.size() == 2);
    CHECK_FALSE(e.stateful.at(0).per_address);
    CHECK(e.stateful.at(0).members.size() == 2);
    CHECK(b.probes.size() == 4);
}

TEST_CASE("L6: targets are looked at instead, and judge the endpoint as a whole") {
    Model m = world(1);
    Service& s = serve(m, "www", Weighted{});
    s.endpoints[0].addresses = {ip("10.1.0.1"), ip("10.1.0.2")};
    s.endpoints[0].targets[web] = {named("app.internal"), named("app2.internal", 81), {ip("10.9.0.1"), {}}};
    Binding b = bind(m);
    const BoundCheck& bound = b.services[0][0].application.at(0);
    CHECK_FALSE(bound.per_address);
    REQUIRE(bound.members.size() == 3);
    CHECK(b.probes[0].target_text() == "app.internal:80");
    CHECK(b.probes[1].target_text() == "app2.internal:81");
    CHECK(b.probes[2].target_text() == "10.9.0.1:80");
}

TEST_CASE("L6: the port is the target's, else the check's, else the type's") {
    struct Row {
        CheckKind kind;
        std::optional<std::uint16_t> target, check;
        std::uint16_t expected;
    };
    for (const Row& r : {Row{HttpCheck{}, {}, {}, 80}, Row{HttpCheck{.tls = true}, {}, {}, 443},
                         Row{PostgresCheck{}, {}, {}, 5432}, Row{HttpCheck{}, {}, 8080, 8080},
                         Row{HttpCheck{}, 9090, 8080, 9090}, Row{TcpCheck{}, 7, {}, 7}}) {
        Model m = world_with_web(1, [&](Check& c) {
            c.kind = r.kind;
            c.port = r.check;
        });
        serve(m, "www", Weighted{}).endpoints[0].targets[web] = {named("x", r.target)};
        CHECK(bind(m).probes.at(0).port == r.expected);
    }
}

TEST_CASE("what is unchecked on purpose has no member") {
    Model m = world(2);
    serve(m, "a", Weighted{}).unchecked = true;
    Service& b = serve(m, "b", Weighted{});
    b.endpoints[1].unchecked = true;
    Binding bound = bind(m);
    CHECK(bound.probes.size() == 1);
    CHECK(bound.services[0][0].application.empty());
    CHECK(bound.services[1][0].application.size() == 1);
    CHECK(bound.services[1][1].application.empty());
}

TEST_CASE("L4: references are members of no datacenter and of no service") {
    Model m = world(1);
    serve(m, "www", Weighted{});
    m.self_doubt.references = {*SocketAddress::parse("198.51.100.1:53"),
                               *SocketAddress::parse("[2001:db8::9]:853")};
    Binding b = bind(m);
    REQUIRE(b.references.size() == 2);
    CHECK(b.probes[b.references[0]].target_text() == "198.51.100.1:53");
    CHECK(b.probes[b.references[1]].target_text() == "[2001:db8::9]:853");
    CHECK(b.probes[b.references[0]].datacenter.empty());
    CHECK(std::holds_alternative<TcpCheck>(b.probes[b.references[0]].check->kind));
    m.self_doubt.references = {{*IpAddress::parse("198.51.100.1"), 0}};
    b = bind(m);
    CHECK(b.probes[b.references[0]].target_text() == "198.51.100.1");
    CHECK(std::holds_alternative<IcmpCheck>(b.probes[b.references[0]].check->kind));
}

TEST_CASE("an expression names each check once, in order") {
    using Op = Expression::Op;
    CHECK(checks_of(combine(Op::all, {on(1), combine(Op::any, {on(0), on(1), on(2)}), on(0)})) ==
          std::vector<CheckIndex>{1, 0, 2});
}
