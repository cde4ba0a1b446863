#include "tests/sim/drill.hpp"

#include <utility>

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
const auto writers_only =
    sites(2, {{"ledger", "policy: weighted\napplication: web\nstateful: {name: writer, type: "
                         "postgres, port: 5432, user: fairway, dbname: postgres, role: primary}\n"
                         "on_all_down: servfail\n"}});
}

TEST_CASE("L1: a requirement lost is confirmed by `fall` looks like a failure, and one odd look is none") {
    // given: a service that wants a primary, in the one site that has it
    Drill s{writers_only};
    s.runs(1min);
    REQUIRE(s.answers("ledger") == "east");

    SUBCASE("one look that says standby moves nothing") {
        auto looked = s.now();
        bool once = false;
        s.world().target("10.1.0.1:5432").script = [&] {
            auto role = std::exchange(once, true) ? fairway::Role::primary : fairway::Role::standby;
            return Sight{.facts = {.role = role}};
        };
        s.runs(1min);
        CHECK(once);
        CHECK(s.moves("ledger", looked) == 0);
    }
    SUBCASE("three do, at the rhythm of a failure") {
        auto lost = s.now();
        s.database("east").steps_down();
        s.runs(1min);
        auto gone = s.first("ledger", "SERVFAIL", lost);
        REQUIRE(gone);
        CHECK(*gone - lost > 500ms); // two quick looks lie between the first and the third
        CHECK(*gone - lost <= 2s + 500ms + 3 * 10ms + 10ms);
    }
}
