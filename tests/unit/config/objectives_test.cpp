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
    CHECK(none.model->services[0].lost_share == Service::LostShare::spread);
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
