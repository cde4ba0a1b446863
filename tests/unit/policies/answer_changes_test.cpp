// What another configuration would answer, before it is taken over.
#include "policies/answer_changes.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model shop_and_www() {
    Model m = world(2);
    serve(m, "shop", in_order(2)).failback = Service::Failback::automatic;
    serve(m, "www", Weighted{});
    std::ranges::sort(m.services, {}, &Service::name); // as the loader does: services are found by it
    return m;
}

constexpr ServiceIndex www = 0, shop = 1; // by their names on the wire

/// A desk at which all is well but what is said.
Desk working(Model m, const std::string& down = "") {
    Desk d(std::move(m));
    d.everywhere(Sight::pass);
    if (!down.empty()) d.now_sees(down, Sight::refuse);
    d.beats(40);
    return d;
}

AnswerChanges compared(const Desk& d, Model next) {
    return answer_changes(d.engine, std::make_shared<const Model>(std::move(next)), d.now);
}

} // namespace

TEST_CASE("the same configuration answers the same, and so does one that is fed by other checks") {
    const Desk d = working(shop_and_www(), "west");
    CHECK(compared(d, shop_and_www()).lines.empty());
    CHECK(compared(d, shop_and_www()).same == 2);
    Model slower = shop_and_www();
    auto check = std::make_shared<Check>(*slower.checks[web]);
    check->timing.interval = 10s; // other members, the same targets: what is known of them is believed
    slower.checks[web] = check;
    const auto c = compared(d, slower);
    CHECK(c.lines.empty());
    CHECK(c.assumed.empty());
}

TEST_CASE("other addresses, shares and TTLs are told beside what is answered now") {
    const Desk d = working(shop_and_www());
    Model next = shop_and_www();
    next.services[www].endpoints[0].weight = 3;
    next.services[www].endpoints[1].addresses = {ip("10.2.0.9")};
    next.services[shop].ttl = {.min = 30s, .max = 30s};
    const auto c = compared(d, next);
    REQUIRE(c.lines.size() == 2);
    CHECK(c.lines[0].service == "shop.test");
    CHECK(c.lines[0].before == c.lines[0].after);
    CHECK(c.lines[0].ttl_before == 10);
    CHECK(c.lines[0].ttl_after == 30);
    CHECK(c.lines[1].before == "east 50 % (10.1.0.1), west 50 % (10.2.0.1)");
    CHECK(c.lines[1].after == "east 75 % (10.1.0.1), west 25 % (10.2.0.9)");
    CHECK(c.assumed == std::vector<std::string>{"web 10.2.0.9:80"});
}

TEST_CASE("the real decision is asked: what is down is not answered there either") {
    const Desk d = working(shop_and_www(), "east");
    Model next = shop_and_www();
    next.services[shop].policy = Weighted{};
    next.services[www].endpoints.erase(next.services[www].endpoints.begin() + 1);
    const auto c = compared(d, next);
    REQUIRE(c.lines.size() == 2);
    CHECK(c.lines[0].after == "west (10.2.0.1)"); // shop, as before
    CHECK(c.lines[0].before == c.lines[0].after);
    CHECK(c.lines[0].preferred_before == "east");
    CHECK(c.lines[0].preferred_after == "");
    CHECK(c.lines[1].before == "west (10.2.0.1)");
    CHECK(c.lines[1].after == "east (10.1.0.1)"); // nothing is fit: as if all were up
}

TEST_CASE("a service that comes or goes, and where one would be if all were fit") {
    const Desk d = working(shop_and_www());
    Model next = world(2);
    auto& turned = serve(next, "shop", in_order(2));
    std::get<ActivePassive>(turned.policy).order = {1, 0};
    turned.failback = Service::Failback::manual;
    serve(next, "api", Weighted{});
    std::ranges::sort(next.services, {}, &Service::name);
    const auto c = compared(d, next);
    REQUIRE(c.lines.size() == 3);
    CHECK(c.lines[0].service == "api.test");
    CHECK(c.lines[0].before == "");
    CHECK(c.lines[0].after == "east 50 % (10.1.0.1), west 50 % (10.2.0.1)");
    CHECK(c.lines[1].service == "shop.test");
    CHECK(c.lines[1].after == "east (10.1.0.1)");
    CHECK(c.lines[1].preferred_before == "east");
    CHECK(c.lines[1].preferred_after == "west");
    CHECK(c.lines[2].service == "www.test");
    CHECK(c.lines[2].after == "");
    CHECK(c.lines[2].ttl_after == 0);
}

TEST_CASE("clients whose answers change are named") {
    Model m = world(2);
    m.clients.classes = {{}, {.region = "a"}, {.region = "b"}};
    m.clients.networks = {{*Prefix::parse("192.0.2.0/24"), 1}, {*Prefix::parse("198.51.100.0/24"), 2}};
    m.datacenters[0].region = "a";
    m.datacenters[1].region = "b";
    serve(m, "www", Geo{});
    const Desk d = working(m);
    Model next = m;
    next.clients.networks.insert(next.clients.networks.begin() + 1, {*Prefix::parse("192.0.2.128/25"), 2});
    const auto c = compared(d, next);
    REQUIRE(c.lines.size() == 1);
    CHECK(c.lines[0].clients == "192.0.2.128/25");
    CHECK(c.lines[0].before == "east (10.1.0.1)");
    CHECK(c.lines[0].after == "west (10.2.0.1)");
}
