// Where clients are by a MaxMind DB: own networks first, and no more classes than policies ask for.
#include "tests/unit/config/fixture.hpp"
#include "tests/unit/config/mmdb_writer.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace fairway;
using namespace fairway::load;
using fairway::test::city;
using fairway::test::MmdbWriter;

namespace {

MmdbWriter some_cities() {
    MmdbWriter db;
    db.add("203.0.113.0/25", city("DE", "EU", "BE", 52.5, 13.4));
    db.add("203.0.113.128/25", city("DE", "EU", "BY", 48.1, 11.6));
    db.add("198.51.100.0/24", city("FR", "EU", "", 48.9, 2.4));
    db.add("192.0.2.0/24", city("US", "NA", "CA", 37.8, -122.4));
    db.add("2001:db8:1::/48", city("DE", "EU", "BE", 52.5, 13.4));
    return db;
}

ClientClass class_of(const Model& m, std::string_view client) {
    const Clients::Network* best = nullptr;
    for (const auto& n : m.clients.networks)
        if (n.prefix.contains(*IpAddress::parse(client)) && (!best || n.prefix.length > best->prefix.length))
            best = &n;
    return m.clients.classes[best ? best->client_class : 0];
}

/// Loads a service with this policy, and `clients` beside it.
Loaded with(const std::string& policy, const std::string& clients, const Files& databases) {
    std::string geoip = clients;
    const auto at = geoip.find("DB/");
    if (at != geoip.npos) geoip.replace(at, 3, databases.path(""));
    return Loaded(service("    policy: " + policy + "\n    application: web\n" + two_sites) + geoip + '\n');
}

const Policy& policy_of(const Loaded& l) { return l.model->services[0].policy; }

const std::string by_country =
    "{type: geo, branches: [{when: {country: DE}, policy: {type: active_passive, order: [east]}}, "
    "{policy: {type: weighted, weights: {east: 70, west: 30}}}]}";

} // namespace

TEST_CASE("a database says where clients are, as far as a policy asks") {
    const Files files;
    some_cities().write(files.path("city.mmdb"));
    const Loaded l = with(by_country, "clients: {geoip: DB/city.mmdb}", files);
    INFO(l.told());
    REQUIRE(l.model);
    CHECK(class_of(*l.model, "203.0.113.9").country == "DE");
    CHECK(class_of(*l.model, "203.0.113.200").country == "DE");
    CHECK(class_of(*l.model, "2001:db8:1::7").country == "DE");
    CHECK(class_of(*l.model, "198.51.100.1") == ClientClass{}); // nobody asks about France
    CHECK_FALSE(class_of(*l.model, "203.0.113.9").coordinates);
    CHECK(l.model->clients.classes.size() == 2);
    CHECK(l.model->clients.networks.size() == 2); // both halves of the /24 say the same
}

TEST_CASE("without branches the map counts: coordinates, in whole degrees") {
    const Files files;
    some_cities().write(files.path("city.mmdb"));
    for (const char* policy : {"geo", "latency"}) {
        const Loaded l = with(policy, "clients: {geoip: [DB/city.mmdb]}", files);
        INFO(l.told());
        REQUIRE(l.model);
        CHECK(class_of(*l.model, "203.0.113.9").coordinates == Coordinates{53, 13});
        CHECK(class_of(*l.model, "198.51.100.1").coordinates == Coordinates{49, 2});
        CHECK(class_of(*l.model, "203.0.113.9").country.empty());
    }
}

TEST_CASE("own networks come first, and a database fills in what they do not say") {
    const Files files;
    some_cities().write(files.path("city.mmdb"));
    const Loaded l = with(by_country,
                          "clients: {networks: {203.0.112.0/22: {country: FR, asn: 64500}, 192.0.2.128/25: "
                          "{region: lab}}, geoip: DB/city.mmdb}",
                          files);
    INFO(l.told());
    REQUIRE(l.model);
    CHECK(class_of(*l.model, "203.0.113.9").country == "FR"); // although the database's network is longer
    CHECK(class_of(*l.model, "203.0.113.9").asn == 64500);
    CHECK(class_of(*l.model, "203.0.114.9").country == "FR");
    CHECK(class_of(*l.model, "192.0.2.200").region == "lab");
    CHECK(class_of(*l.model, "2001:db8:1::7").country == "DE");
    CHECK(std::ranges::is_sorted(l.model->clients.networks, {}, &Clients::Network::prefix));
}

TEST_CASE("of two databases each gives what it knows: region, autonomous system") {
    const Files files;
    some_cities().write(files.path("city.mmdb"));
    MmdbWriter asn;
    asn.add("192.0.0.0/16", {{"autonomous_system_number", {64501u}}});
    asn.write(files.path("asn.mmdb"));
    const Loaded l =
        with("{type: geo, branches: [{when: {region: US-CA, asn: [64501, 64502]}, policy: "
             "weighted}, {policy: round_robin}]}",
             "clients: {geoip: [" + files.path("city.mmdb") + ", " + files.path("asn.mmdb") + "]}", files);
    INFO(l.told());
    REQUIRE(l.model);
    CHECK(class_of(*l.model, "192.0.2.1").region == "US-CA");
    CHECK(class_of(*l.model, "192.0.2.1").asn == 64501);
    CHECK(class_of(*l.model, "192.0.3.1").region.empty());
    CHECK(class_of(*l.model, "192.0.3.1").asn == 64501);
}

TEST_CASE("branches name networks, nest, and end with one for all") {
    const Loaded l(service("    policy:\n      type: geo\n      branches:\n"
                           "        - when: {networks: [10.0.0.0/8, 2001:db8::/32], continent: [EU, AS]}\n"
                           "          policy: {type: geo, branches: [{when: {networks: 10.1.0.0/16}, policy: "
                           "all}, {policy: sticky}]}\n"
                           "        - policy: {type: weighted, sticky: client_prefix, weights: {west: 3}}\n"
                           "    application: web\n" +
                           two_sites) +
                   "clients: {networks: {10.0.0.0/8: {continent: EU}}}\n");
    INFO(l.told());
    REQUIRE(l.model);
    const auto& geo = std::get<Geo>(policy_of(l));
    REQUIRE(geo.branches.size() == 2);
    CHECK(geo.branches[0].whom.continents == std::vector<std::string>{"EU", "AS"});
    const auto& inner = std::get<Geo>(geo.branches[0].policy);
    CHECK(std::holds_alternative<All>(inner.branches[0].policy));
    CHECK(std::get<Sticky>(geo.branches[1].policy).weights == std::vector<unsigned>{0, 3});
    const ClientClass near = class_of(*l.model, "10.1.2.3"), far = class_of(*l.model, "10.2.0.1");
    CHECK(near.lists.size() == 2);
    CHECK(far.lists == std::vector<std::uint16_t>{*geo.branches[0].whom.networks});
    CHECK(near.continent == "EU");
    CHECK(l.model->services[0].endpoints[0].weight == 1); // weights of a branch are its own
}

TEST_CASE("what cannot be meant is refused, and what cannot be read named") {
    const Files files;
    files.write("broken.mmdb", "not a database");
    const std::vector<std::pair<std::string, std::string>> wrongs{
        {"{type: geo, branches: []}", "expected a list of branches"},
        {"{type: geo, branches: [{when: {country: DE}}]}", "`policy` is missing"},
        {"{type: geo, branches: [{policy: {type: active_passive, follow: primary}}]}",
         "follow: the role moves"},
        {"{type: latency, branches: [{policy: all}]}", "has no meaning for the policy latency"},
        {"{type: round_robin, sticky: client_prefix}", "has no meaning for the policy round_robin"},
        {"{type: geo, branches: [{policy: {type: weighted, weights: {east: 0, west: 0}}}]}", "all are 0"},
        {"{type: geo, branches: [{when: {land: DE}, policy: all}]}", "unknown key"},
        {"{type: geo, branches: [{when: {asn: 0}, policy: all}]}", "expected 1 to 4294967295"},
    };
    for (const auto& [policy, message] : wrongs) {
        const Loaded l = with(policy, "", files);
        CAPTURE(policy);
        CAPTURE(l.told());
        CHECK_FALSE(l.model);
        CHECK(l.told().find(message) != std::string::npos);
    }
    const Loaded broken = with(by_country, "clients: {geoip: DB/broken.mmdb}", files);
    CHECK_FALSE(broken.model);
    CHECK(broken.told().find("cannot be read: ") != std::string::npos);
    const Loaded missing = with(by_country, "clients: {geoip: DB/none.mmdb}", files);
    CHECK(missing.told().find("cannot be read: No such file or directory") != std::string::npos);
    const Loaded idle = with("weighted", "clients: {geoip: DB/none.mmdb}", files);
    CHECK(idle.told().find("no policy asks") != std::string::npos);
}

TEST_CASE("an answer of many addresses holds no name") {
    const Loaded l(
        service("    policy: all\n    unchecked: true\n    endpoints: {east: {addresses: [192.0.2.1]}, "
                "west: {cname: lb.example.net.}}\n"));
    CHECK_FALSE(l.model);
    CHECK(l.told().find("the policy all answers addresses") != std::string::npos);
}
