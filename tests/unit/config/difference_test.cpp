// What one configuration says otherwise than another.
#include "config/difference.hpp"
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace fairway;

namespace {

const std::string running = R"(
zones: {example.com: {nameservers: {ns1: [192.0.2.53]}, records: ["www 60 IN A 192.0.2.80"]}}
datacenters: {east: {}, west: {}}
alerts: {webhooks: [{url: "https://hooks.example.net/secret-1"}]}
services:
  shop.example.com:
    policy: weighted
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2, 192.0.2.3]}}
)";

Written written(const std::string& yaml) {
    const auto file =
        std::filesystem::temp_directory_path() / ("difference." + std::to_string(getpid()) + ".yaml");
    std::ofstream(file) << yaml;
    Diagnostics problems;
    Written w;
    const bool loads = load::load(file, problems, &w) != nullptr;
    std::filesystem::remove(file);
    INFO(problems.to_string());
    REQUIRE(loads);
    return w;
}

/// "changed a.b: 1 -> 2", a line each.
std::vector<std::string> told(std::string from, const std::string& what, const std::string& by) {
    std::string next = from;
    next.replace(next.find(what), what.size(), by);
    std::vector<std::string> lines;
    for (const KeyChange& c : differences(written(from), written(next)))
        lines.push_back((c.kind == KeyChange::Kind::added     ? "added "
                         : c.kind == KeyChange::Kind::removed ? "removed "
                                                              : "changed ") +
                        c.key + ": " + c.before.value_or("-") + " -> " + c.after.value_or("-"));
    return lines;
}

using Lines = std::vector<std::string>;

} // namespace

TEST_CASE("nothing differs from itself, however it is written") {
    CHECK(told(running, "datacenters: {east: {}, west: {}}", "datacenters:\n  west: {}\n  east: {}") ==
          Lines{});
}

TEST_CASE("a value, a list of values, a key that came and one that went") {
    CHECK(told(running, "policy: weighted", "policy: round_robin") ==
          Lines{"changed services.shop.example.com.policy: weighted -> round_robin"});
    CHECK(told(running, "192.0.2.3", "192.0.2.4") ==
          Lines{"changed services.shop.example.com.endpoints.west.addresses: [192.0.2.2, 192.0.2.3] -> "
                "[192.0.2.2, 192.0.2.4]"});
    CHECK(told(running, "policy: weighted", "policy: weighted\n    ttl: 20s") ==
          Lines{"added services.shop.example.com.ttl: - -> 20s"});
    CHECK(told(running, "east: {}", "east: {region: a}") ==
          Lines{"removed datacenters.east: {} -> -", "added datacenters.east.region: - -> a"});
}

TEST_CASE("a section that came or went is one line") {
    CHECK(told(running, "services:",
               "services:\n  api.example.com: {unchecked: true, policy: weighted, endpoints: "
               "{east: {addresses: [192.0.2.9]}}}") == Lines{"added services.api.example.com: - -> -"});
    CHECK(told(running, "alerts: {webhooks: [{url: \"https://hooks.example.net/secret-1\"}]}", "") ==
          Lines{"removed alerts: - -> -"});
}

TEST_CASE("what may hold a secret differs, and is not shown") {
    CHECK(told(running, "secret-1", "secret-2") ==
          Lines{"changed alerts.webhooks.[0].url: (not shown) -> (not shown)"});
}
