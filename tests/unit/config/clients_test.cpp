// clients: what is known of a network, and that equal knowledge is kept once.
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace fairway;
using namespace fairway::load;

namespace {

const std::string sites =
    "datacenters: {east: {region: us-east, latitude: 40, longitude: -74}, west: {region: us-west}}\n";

const ClientClass& class_of(const Model& m, std::string_view prefix) {
    for (const auto& n : m.clients.networks)
        if (n.prefix == *Prefix::parse(prefix)) return m.clients.classes[n.client_class];
    FAIL("no such network");
    return m.clients.classes[0];
}

} // namespace

TEST_CASE("a region lends its coordinates, and what is around a network holds for it") {
    const Loaded loaded(
        sites + "clients: {networks: {10.0.0.0/8: {region: us-east}, 11.0.0.0/8: {latitude: 1, longitude: "
                "2}}, latency: l.csv}\n",
        {{"l.csv",
          "prefix,datacenter,milliseconds\n# measured in May\n10.1.0.0/16,east,12.5\n10.1.0.0/16, west , 80\n"
          "10.1.2.0/24,west,70\r\n2001:db8::/32,east,3\n"}});
    INFO(loaded.told());
    REQUIRE(loaded.model);
    const Model& m = *loaded.model;
    CHECK(class_of(m, "10.0.0.0/8").coordinates == Coordinates{40, -74});
    CHECK(class_of(m, "10.0.0.0/8").rtt_ms.empty());
    CHECK(class_of(m, "11.0.0.0/8").coordinates == Coordinates{1, 2});
    const ClientClass& inner = class_of(m, "10.1.2.0/24");
    CHECK(inner.region == "us-east");
    CHECK(inner.coordinates == Coordinates{40, -74});
    CHECK(inner.rtt_ms == std::vector<std::optional<double>>{12.5, 70});
    CHECK_FALSE(class_of(m, "2001:db8::/32").coordinates);
    CHECK(m.clients.classes[0] == ClientClass{});
    CHECK(std::is_sorted(m.clients.networks.begin(), m.clients.networks.end(),
                         [](auto& a, auto& b) { return a.prefix < b.prefix; }));
}

TEST_CASE("networks that say the same share a class") {
    std::string csv;
    for (int i = 0; i < 1000; ++i)
        csv += "10." + std::to_string(i / 256) + '.' + std::to_string(i % 256) + ".0/24,east," +
               std::to_string(i % 7) + '\n';
    const Loaded loaded(sites + "clients: {latency: l.csv}\n", {{"l.csv", csv}});
    REQUIRE(loaded.model);
    CHECK(loaded.model->clients.networks.size() == 1000);
    CHECK(loaded.model->clients.classes.size() == 8);
}

TEST_CASE("every bad line of a latency map is reported, up to a bound") {
    const Loaded loaded(
        sites + "clients: {latency: l.csv}\n",
        {{"l.csv",
          "10.0.0.0/8,east,1\n10.0.0.1/8,east,1\n10.0.0.0/8,eats,1\n11.0.0.0/8,east,fast\n11.0.0.0/8,east\n"
          "10.0.0.0/8,east,2\n12.0.0.0/8,east,-1\n"}});
    CHECK_FALSE(loaded.model);
    const std::string told = loaded.told();
    CHECK(loaded.problems.errors() == 6);
    CHECK(told.find("l.csv:2: error: expected a network such as 203.0.113.0/24, found `10.0.0.1/8`: bits "
                    "beyond the length are set") != std::string::npos);
    CHECK(told.find("l.csv:3: error: there is no datacenter `eats` (did you mean `east`?)") !=
          std::string::npos);
    CHECK(told.find("l.csv:4: error: expected milliseconds from 0 to 60000, found `fast`") !=
          std::string::npos);
    CHECK(told.find("l.csv:5: error: expected prefix,datacenter,milliseconds") != std::string::npos);
    CHECK(told.find("l.csv:6: error: 10.0.0.0/8 to east is given twice") != std::string::npos);
    std::string junk;
    for (int i = 0; i < 1000; ++i) junk += "junk\n";
    CHECK(Loaded(sites + "clients: {latency: l.csv}\n", {{"l.csv", junk}}).problems.errors() == 21);
}

TEST_CASE("more kinds of network than an index holds is an error") {
    std::string csv;
    for (int i = 0; i < 65537; ++i)
        csv += "10." + std::to_string(i / 65536) + '.' + std::to_string(i / 256 % 256) + '.' +
               std::to_string(i % 256) + "/32,east," + std::to_string(i / 10.0) + '\n';
    const Loaded loaded(sites + "clients: {latency: l.csv}\n", {{"l.csv", csv}});
    CHECK_FALSE(loaded.model);
    CHECK(loaded.told().find("more than 65535 different kinds of network") != std::string::npos);
}
