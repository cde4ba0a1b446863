#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
/// 334 services in each of three sites, each on an address of its own: 1,002 targets.
std::string a_thousand_targets() {
    auto yaml = sites(3, {});
    for (int i = 0; i < 334; ++i) {
        auto tail = "." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250);
        yaml += "  s" + std::to_string(i) +
                ".gtm.example.com:\n    policy: weighted\n    application: web\n    endpoints:\n";
        yaml += "      east: {addresses: [10.1" + tail + "]}\n";
        yaml += "      west: {addresses: [10.2" + tail + "]}\n";
        yaml += "      eu: {addresses: [10.3" + tail + "]}\n";
    }
    return yaml;
}
} // namespace

TEST_CASE("H6, L4: 1,000 targets of three datacenters silent at once: nothing is DOWN, one alarm") {
    // given: a node outside all of them
    Drill s{a_thousand_targets()};
    s.runs(30s);
    REQUIRE(s.members() == 1002);
    // when: it is our own line
    auto cut = s.cut_uplink();
    s.runs(60s);
    // then
    CHECK(s.count(Change::member_down) == 0);
    CHECK(s.count(Change::self_doubt) == 1);
    CHECK(s.alarm("self_doubt"));
    CHECK(*s.first(Change::self_doubt) - cut <= 9s + 2s);
    for (int i = 0; i < 334; ++i) CHECK(s.moves("s" + std::to_string(i), cut) == 0);
    // and: it goes by without a trace
    auto mended = s.mend_uplink();
    s.runs(2min);
    CHECK_FALSE(s.alarm("self_doubt"));
    CHECK(s.count(Change::self_doubt_over) == 1);
    CHECK(s.count(Change::member_down, mended) == 0);
    for (int i = 0; i < 334; ++i) CHECK(s.moves("s" + std::to_string(i), cut) == 0);
}
