#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

TEST_CASE("L6: an address that fails alone is withdrawn alone") {
    Drill s{sites_with(
        2, {"www", "policy: weighted\napplication: {all: [web, {name: deep, type: tcp, port: 9000}]}\n"},
        "east: {addresses: [10.1.0.1, 10.1.0.2], targets: {deep: [\"10.1.0.9\"]}}\n"
        "west: {addresses: [10.2.0.1]}\n")};
    s.runs(1min);
    REQUIRE(s.addresses("www", "east") == Addresses{"10.1.0.1", "10.1.0.2"});
    // when
    s.target("10.1.0.2:8080", saying::status(503));
    s.runs(10s);
    // then
    CHECK(s.addresses("www", "east") == Addresses{"10.1.0.1"});
    CHECK(s.answers("www") == "east+west");
    // and when the other fails too, the endpoint goes
    s.target("10.1.0.1:8080", saying::status(503));
    s.runs(10s);
    CHECK(s.answers("www") == "west");
}

TEST_CASE("L6: what `targets` names judges the endpoint as a whole") {
    Drill s{sites_with(
        2, {"www", "policy: weighted\napplication: {all: [web, {name: deep, type: tcp, port: 9000}]}\n"},
        "east: {addresses: [10.1.0.1, 10.1.0.2], targets: {deep: [\"10.1.0.9\"]}}\n"
        "west: {addresses: [10.2.0.1]}\n")};
    s.runs(1min);
    REQUIRE(s.answers("www") == "east+west");
    s.target("10.1.0.9:9000", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "west");
}

TEST_CASE("H9, L6: identical checks are one probe: a hundred services on an endpoint are looked at once an "
          "interval") {
    auto yaml = sites(2, {});
    for (int i = 0; i < 100; ++i)
        yaml += "  s" + std::to_string(i) + ".gtm.example.com:\n    policy: weighted\n" +
                "    application: {name: port, type: tcp, port: 443}\n    endpoints:\n" +
                "      east: {addresses: [10.1.0.1]}\n      west: {addresses: [10.2.0.1]}\n";
    Drill s{yaml};
    s.runs(100s);
    CHECK(s.members() == 2);
    CHECK(s.looks() <= 2 * (100 / 1.8 + 2));
    s.kill("east");
    s.runs(10s);
    for (int i = 0; i < 100; ++i) CHECK(s.answers("s" + std::to_string(i)) == "west");
}
