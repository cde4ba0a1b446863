#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

namespace {
const auto watched =
    sites(2, {{"www", "policy: weighted\napplication: {name: w, type: tcp, port: 443, watch: true}\n"}});
}

TEST_CASE("H2, L2: a watched process that dies leaves the answers within 1 s") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Drill s{watched, seed};
        s.runs(1min);
        auto death = s.crash_process("10.1.0.1:443");
        s.runs(10s);
        auto left = s.first("www", "west", death);
        REQUIRE(left);
        CHECK(*left - death <= 1s);
    }
}

TEST_CASE("L2: the end of a watched connection is never a failure by itself") {
    Drill s{watched};
    s.runs(1min);
    for (int i = 0; i < 100; ++i) {
        s.drop_connections("10.1.0.1:443");
        s.runs(700ms);
    }
    CHECK(s.moves("www", 1min) == 0);
    CHECK(s.count(Change::member_down) == 0);
}
