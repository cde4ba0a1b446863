#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
/// Two servers in east, one in west.
std::string three_servers(const std::string& keys, const std::string& more = "") {
    return sites_with(2, {"shop", keys},
                      "east: {addresses: [10.1.0.1], stateful: [\"10.1.0.8\", \"10.1.0.9\"]}\n"
                      "west: {addresses: [10.2.0.1], stateful: [\"10.2.0.8\"]}\n",
                      more);
}
std::string store(const std::string& require) {
    return "policy: weighted\napplication: web\nstateful: {name: store, type: postgres, port: 5432, user: "
           "fairway, "
           "dbname: postgres" +
           (require.empty() ? "" : ", require: " + require) + "}\n";
}
} // namespace

TEST_CASE("L6: with several targets a site has the role if any of them has it") {
    Drill s{three_servers(follow)};
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    // when the primary moves within the site
    auto moved = s.now();
    s.database("east", 0).crash();
    s.database("east", 1).promote();
    s.runs(1min);
    // then nothing is to be seen outside
    CHECK(s.answers("shop") == "east");
    CHECK(s.moves("shop", moved) == 0);
    CHECK_FALSE(s.critical("shop", moved));
}

TEST_CASE("L6: quorum holds if any target reports it, unless more is required") {
    fairway::Facts quorum{.quorum = true}, none{.quorum = false};
    SUBCASE("any") {
        Drill s{three_servers(store("any"))};
        s.target("10.1.0.8:5432", Sight{.facts = none});
        s.target("10.1.0.9:5432", Sight{.facts = quorum});
        s.runs(1min);
        CHECK(s.answers("shop") == "east+west");
    }
    SUBCASE("unsaid: any that reports it") {
        Drill s{three_servers(store(""))};
        s.target("10.1.0.8:5432", Sight{.facts = none});
        s.target("10.1.0.9:5432", Sight{.facts = quorum});
        s.runs(1min);
        CHECK(s.answers("shop") == "east+west");
    }
    SUBCASE("all") {
        Drill s{three_servers(store("all"))};
        s.target("10.1.0.8:5432", Sight{.facts = none});
        s.target("10.1.0.9:5432", Sight{.facts = quorum});
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
    }
    SUBCASE("majority") {
        Drill s{three_servers(store("majority"))};
        s.target("10.1.0.8:5432", Sight{.facts = none});
        s.target("10.1.0.9:5432", Sight{.facts = quorum});
        s.runs(1min);
        CHECK(s.answers("shop") == "west"); // one of two is no majority
    }
}
