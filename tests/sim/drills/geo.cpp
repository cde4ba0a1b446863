#include "tests/sim/drill.hpp"
#include "tests/unit/config/mmdb_writer.hpp"

#include <filesystem>
#include <unistd.h>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {

/// A database of cities in a file of its own, gone at the end.
struct Cities {
    Cities()
        : file(std::filesystem::temp_directory_path() /
               ("fairway-cities-" + std::to_string(getpid()) + ".mmdb")) {
        fairway::test::MmdbWriter db;
        db.add("203.0.113.0/24", fairway::test::city("DE", "EU", "BE", 52.5, 13.4));
        db.add("198.51.100.0/24", fairway::test::city("US", "NA", "CA", 37.8, -122.4));
        db.write(file.string());
    }
    ~Cities() { std::filesystem::remove(file); }
    std::filesystem::path file;
};

const std::string places = "datacenters:\n"
                           "  east: {region: us-east, latitude: 40.7, longitude: -74.0}\n"
                           "  west: {region: us-west, latitude: 37.8, longitude: -122.4}\n"
                           "  eu: {region: eu-central, latitude: 50.1, longitude: 8.7}\n";
const std::string web = "checks: {web: {type: http, port: 8080, path: /healthz}}\n";
const std::string endpoints = "    application: web\n    endpoints:\n      east: {addresses: [10.1.0.1]}\n"
                              "      west: {addresses: [10.2.0.1]}\n      eu: {addresses: [10.3.0.1]}\n";
const std::string berlin = "203.0.113.7", california = "198.51.100.7", nowhere = "192.0.2.7";

} // namespace

TEST_CASE("geo: each branch keeps its clients while it lives, and the next that matches takes them over") {
    // given: Europeans at eu, else at east; everybody else shared out between east and west
    Cities cities;
    Drill s{"clients: {geoip: " + cities.file.string() + ", networks: {192.0.2.0/25: {continent: EU}}}\n" +
            places + web +
            "services:\n  nested.gtm.example.com:\n    policy:\n      type: geo\n      branches:\n"
            "        - when: {continent: EU}\n"
            "          policy: {type: active_passive, order: [eu, east]}\n"
            "        - policy: {type: weighted, weights: {east: 70, west: 30}}\n" +
            endpoints};
    s.runs(1min);
    CHECK(s.answers("nested", berlin) == "eu");
    CHECK(s.answers("nested", nowhere) == "eu"); // an own network comes first
    CHECK(s.answers("nested", california) == "east+west");
    // when the branch's first site dies, its second takes over; then the branch has nobody, and the next
    // matches
    s.kill("eu");
    s.runs(30s);
    CHECK(s.answers("nested", berlin) == "east");
    CHECK(s.answers("nested", california) == "east+west");
    s.kill("east");
    s.runs(90s);
    CHECK(s.answers("nested", berlin) == "west");
    CHECK(s.answers("nested", california) == "west");
    // then: within branches all comes back by itself
    s.revive("eu");
    s.revive("east");
    s.runs(30min);
    CHECK(s.answers("nested", berlin) == "eu");
    CHECK(s.answers("nested", california) == "east+west");
}

TEST_CASE(
    "geo: without branches the own region, else the nearest by map, and the next nearest when it dies") {
    Cities cities;
    Drill s{"clients: {geoip: " + cities.file.string() + ", networks: {192.0.2.0/24: {region: us-west}}}\n" +
            places + web + "services:\n  www.gtm.example.com:\n    policy: geo\n" + endpoints};
    s.runs(1min);
    CHECK(s.answers("www", berlin) == "eu");
    CHECK(s.answers("www", california) == "west");
    CHECK(s.answers("www", nowhere) == "west");
    CHECK(s.answers("www", "8.8.8.8") == "east"); // of whom nothing is known: the first
    s.kill("west");
    s.runs(30s);
    CHECK(s.answers("www", california) == "east");
    CHECK(s.answers("www", berlin) == "eu");
}

TEST_CASE("P9: sticky keeps each network where it is, and only those of the lost site move") {
    Drill s{places + web +
            "services:\n  static.gtm.example.com:\n    policy: {type: weighted, sticky: client_prefix}\n" +
            endpoints};
    s.runs(1min);
    std::map<std::string, std::string> before;
    for (int i = 0; i < 250; ++i) {
        auto client = "100.64." + std::to_string(i) + ".9";
        before[client] = s.answers("static", client);
        CHECK(s.answers("static", "100.64." + std::to_string(i) + ".200") == before[client]);
    }
    s.kill("west");
    s.runs(30s);
    std::size_t lost = 0;
    for (auto& [client, site] : before) {
        lost += site == "west";
        if (site == "west") CHECK(s.answers("static", client) != "west");
        else CHECK(s.answers("static", client) == site);
    }
    CHECK(lost > 50);
    CHECK(lost < 120);
    // and who comes back gets exactly its own networks back
    s.revive("west");
    s.runs(10min);
    for (auto& [client, site] : before) CHECK(s.answers("static", client) == site);
}

TEST_CASE("all: every fit address is in one answer, and a dead site's leave it") {
    Drill s{places + web + "services:\n  www.gtm.example.com:\n    policy: all\n" + endpoints};
    s.runs(1min);
    CHECK(s.answers("www") == "east+eu+west");
    auto death = s.kill("west");
    s.runs(30s);
    CHECK(s.answers("www") == "east+eu");
    CHECK_FALSE(s.named("www", "west", death + 12s));
    s.application("east", saying::refused());
    s.application("eu", saying::refused());
    s.runs(2min);
    CHECK(s.answers("www") == "east+eu+west"); // nothing fit: as if all were up
}
