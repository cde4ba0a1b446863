#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("latency: each client has the nearest living site, and the next nearest when that dies") {
    // given: three sites on the map, and clients of whom two networks are known
    auto yaml = std::string(
        "clients: {networks: {203.0.113.0/24: {region: eu-central}, 198.51.100.0/24: {region: us-west}}}\n"
        "datacenters:\n"
        "  east: {region: us-east, latitude: 40.7, longitude: -74.0}\n"
        "  west: {region: us-west, latitude: 37.8, longitude: -122.4}\n"
        "  eu: {region: eu-central, latitude: 50.1, longitude: 8.7}\n"
        "checks: {web: {type: http, port: 8080, path: /healthz}}\n"
        "services:\n"
        "  www.gtm.example.com:\n"
        "    policy: latency\n"
        "    application: web\n"
        "    endpoints:\n"
        "      east: {addresses: [10.1.0.1]}\n"
        "      west: {addresses: [10.2.0.1]}\n"
        "      eu: {addresses: [10.3.0.1]}\n");
    Drill s{yaml};
    s.runs(1min);
    CHECK(s.answers("www", "203.0.113.7") == "eu");
    CHECK(s.answers("www", "198.51.100.7") == "west");
    // when
    auto death = s.kill("eu");
    s.runs(1min);
    // then: Europe crosses the nearer ocean, and nobody else notices
    CHECK(s.answers("www", "203.0.113.7") == "east");
    CHECK(s.answers("www", "198.51.100.7") == "west");
    CHECK_FALSE(s.named("www", "eu", death + 9s + 2s));
    // and home again by itself
    s.revive("eu");
    s.runs(1min);
    CHECK(s.answers("www", "203.0.113.7") == "eu");
}
