// objectives, ramp and lost_share as they are read, and what check-config says of objectives that nothing
// could keep to.
#include "tests/unit/config/fixture.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::load;
using namespace std::chrono_literals;

namespace {

Loaded with(const std::string& keys, const std::string& policy = "weighted") {
    return Loaded(
        service("    policy: " + policy + "\n    application: web\n    ttl: 10s\n" + keys + two_sites));
}

bool warns(const Loaded& l, const std::string& of) { return l.told().find(of) != std::string::npos; }

} // namespace

TEST_CASE("objectives, ramp and lost_share are read; nothing is asked of a service that says none") {
    const Loaded none = with("");
    REQUIRE(none.model);
    CHECK_FALSE(none.model->services[0].objectives.rto);
    CHECK(none.model->services[0].ramp.steps.empty());
    CHECK_FALSE(none.model->services[0].lost_share); // each policy's own way
    CHECK_FALSE(none.model->services[0].load);
    const Loaded all = with("    objectives: {rto: 60s, rpo: 5s}\n    ramp: {steps: [10%, 25%], hold: 2m}\n"
                            "    failover: {lost_share: next}\n");
    INFO(all.told());
    REQUIRE(all.model);
    const Service& s = all.model->services[0];
    CHECK(s.objectives.rto == 60s);
    CHECK(s.objectives.rpo == 5s);
    CHECK(s.ramp.steps == std::vector<double>{0.1, 0.25});
    CHECK(s.ramp.hold == 2min);
    CHECK(s.lost_share == Service::LostShare::next);
}

TEST_CASE(
    "O5, O7: objectives that no state of the world could keep to are said when the configuration is read") {
    CHECK(warns(with("    objectives: {rto: 15s}\n"), "less than it takes to notice a silence"));
    CHECK_FALSE(warns(with("    objectives: {rto: 19s}\n"), "less than it takes"));
    CHECK(warns(with("    objectives: {rpo: 5s}\n"), "nothing reports a lag"));
    CHECK(warns(with("    objectives: {rto: 60s}\n    failover: approval\n", "active_passive"),
                "a person takes"));
    CHECK_FALSE(warns(with("    objectives: {rto: 60s}\n", "active_passive"), "a person takes"));
}

namespace {

/// With a check of each kind that is asked about load.
Loaded loaded(const std::string& keys, const std::string& policy = "weighted",
              const std::string& endpoints = two_sites) {
    std::string yaml = base +
                       "  lb: {type: prometheus, url: \"http://p:9090\", query: up}\n"
                       "  room: {type: agent, port: 9}\n"
                       "services:\n  shop.gtm.example.com:\n    policy: " +
                       policy + "\n    application: web\n    ttl: 10s\n" + keys + endpoints;
    return Loaded(yaml);
}

} // namespace

TEST_CASE("load is read, with the capacity of an endpoint and the targets of its check") {
    const Loaded all =
        loaded("    load: {from: room, shed_above: 80%, max_share: 60%, lag: 45s}\n", "latency",
               "    endpoints:\n      east: {addresses: [192.0.2.1], capacity: 500, targets: "
               "{room: [192.0.2.9]}}\n      west: {addresses: [198.51.100.1]}\n");
    INFO(all.told());
    REQUIRE(all.model);
    const Service& s = all.model->services[0];
    REQUIRE(s.load);
    CHECK(all.model->checks[s.load->from]->name == "room");
    CHECK(s.load->shed_above == 0.8);
    CHECK(s.load->max_share == 0.6);
    CHECK(s.load->lag == 45s);
    CHECK(s.endpoints[0].capacity == 500);
    CHECK(s.endpoints[0].targets.at(s.load->from).size() == 1);
    CHECK_FALSE(s.endpoints[1].capacity);
    const Loaded least = loaded("    load: {from: lb}\n");
    REQUIRE(least.model);
    CHECK_FALSE(least.model->services[0].load->shed_above);
    CHECK(least.model->services[0].load->lag == 30s);
}

TEST_CASE("load that nothing reports, or that one active site cannot share, is refused") {
    CHECK(warns(loaded("    load: {from: web}\n"), "the check `web` reports no load"));
    CHECK(warns(loaded("    load: {from: nobody}\n"), "there is no check"));
    CHECK(warns(loaded("    load: {shed_above: 80%}\n"), "`from` is missing"));
    CHECK(warns(loaded("    load: {from: lb, shed: 80%}\n"), "unknown key `shed`"));
    const std::string database = "    stateful: db\n";
    CHECK(warns(loaded(database + "    load: {from: lb, shed_above: 80%}\n", "active_passive"),
                "with a `stateful` tier one site is active"));
    CHECK(loaded(database + "    load: {from: lb}\n", "active_passive").model); // it is only shown
    CHECK(warns(loaded(database + "    failover: {lost_share: spread}\n", "active_passive"),
                "its share cannot be spread"));
    CHECK(warns(loaded("    load: {from: lb, shed_above: 80%}\n", "all"), "sheds nothing"));
}
