#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H6, L4: one datacenter of two is dead and one target of the other is flaky: failover happens") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        // given: two services in west, one of which now and then says nothing
        auto yaml = sites(2, {{"www", weighted}}) +
                    "  img.gtm.example.com:\n    policy: weighted\n    application: web\n    endpoints:\n"
                    "      east: {addresses: [10.1.0.2]}\n      west: {addresses: [10.2.0.2]}\n";
        Drill s{yaml, seed};
        Random dice(seed);
        s.world().target("10.2.0.2:8080").script = [&] {
            return dice.chance(0.4) ? saying::nothing() : Sight{};
        };
        s.runs(1min);
        // when
        auto death = s.kill("east");
        s.runs(1min);
        // then: the other site speaks for us, so its silence is believed
        CHECK(s.answers("www") == "west");
        CHECK_FALSE(s.named("www", "east", death + 9s + 2s));
        CHECK(s.count(Change::self_doubt) == 0);
    }
}
