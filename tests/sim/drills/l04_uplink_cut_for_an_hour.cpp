#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H6, L4: an uplink cut for an hour stays doubt, and ends without a flap") {
    for (const auto& top : {std::string(), with_references, "node: {datacenter: eu}\n" + with_references}) {
        CAPTURE(top);
        Drill s{
            sites(3, {{"www", weighted}, {"shop", automatic}, {"batch", ordered("east, west, eu")}}, top)};
        s.runs(10min);
        // when
        auto cut = s.cut_uplink();
        s.runs(1h);
        // then: the one doubt lasts, and nothing is believed
        CHECK(s.count(Change::self_doubt) == 1);
        CHECK(s.count(Change::self_doubt_over) == 0);
        CHECK(s.count(Change::member_down) == 0);
        CHECK(s.runbook().runs().empty());
        // and when the line is back
        auto mended = s.mend_uplink();
        s.runs(30min);
        CHECK(s.count(Change::self_doubt_over, mended) == 1);
        CHECK(*s.first(Change::self_doubt_over, mended) - mended <= 2s + 2s + 2s);
        CHECK(s.count(Change::self_doubt) == 1);
        CHECK(s.count(Change::member_down) == 0);
        for (auto* service : {"www", "shop", "batch"}) CHECK(s.moves(service, cut) == 0);
        CHECK(s.runbook().runs().empty());
    }
}

TEST_CASE("L4: doubt holds silence, never evidence: a refusal counts while it lasts") {
    Drill s{sites(3, {{"batch", ordered("eu, east, west")}}, "node: {datacenter: eu}\n" + with_references)};
    s.runs(1min);
    s.cut_uplink();
    s.runs(1min);
    REQUIRE(s.alarm("self_doubt"));
    // when the site at home, which still answers us, says no
    s.application("eu", saying::refused());
    s.runs(10s);
    // then it is believed, and traffic goes where we last knew somebody alive
    CHECK(s.count(Change::member_down, {}, "eu") == 1);
    CHECK(s.answers("batch") == "east");
}

TEST_CASE("L4: what died while we doubted ourselves is seen once we do not") {
    Drill s{sites(3, {{"www", weighted}})};
    s.runs(1min);
    s.cut_uplink();
    s.runs(5min);
    s.kill("east");
    s.runs(5min);
    REQUIRE(s.answers("www") == "east+eu+west");
    auto mended = s.mend_uplink();
    s.runs(1min);
    CHECK(s.answers("www") == "eu+west");
    // the end of the doubt, then `fall` again from the start
    CHECK_FALSE(s.named("www", "east", mended + 2 * (2s + 2s) + 9s));
}
