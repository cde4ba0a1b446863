#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;

TEST_CASE("H5, L20: at the first start SERVFAIL only while undecided") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Drill s{sites(2, {{"www", weighted}, {"batch", ordered("east, west")}, {"shop", follow}}), seed};
        s.runs(1min);
        for (auto* service : {"www", "batch", "shop"}) {
            CAPTURE(service);
            CHECK(s.history(service).all().front().text == "SERVFAIL");
            CHECK(s.moves(service) == 1); // from undecided to the answer, and no other step
        }
        CHECK(*s.first("www", "east+west") <= 2s + 20ms + 10ms);
        CHECK(*s.first("batch", "east") <= 2s + 20ms + 10ms);
        CHECK(*s.first("shop", "east") <= 2s + 250ms + 40ms + 10ms); // one claim is confirmed
    }
}

TEST_CASE(
    "H5, L20: with the preferred site down, the other is served after 2 s; nothing ever names the dead one") {
    for (bool refuses : {true, false}) {
        CAPTURE(refuses);
        Drill s{sites(2, {{"batch", ordered("east, west")}, {"www", weighted}})};
        if (refuses) s.application("east", saying::refused());
        else s.kill("east");
        s.runs(1min);
        CHECK(s.answers("batch") == "west");
        CHECK(s.answers("www") == "west");
        CHECK_FALSE(s.named("batch", "east", {}));
        CHECK_FALSE(s.named("www", "east", {}));
        CHECK(*s.first("batch", "west") <= 2s + 20ms + 10ms + 750ms);
        CHECK(*s.first("www", "west") <= 2s + 20ms + 10ms + 750ms);
    }
}

TEST_CASE("H5, L20: after 10 s undecided on_all_down applies") {
    // our own interface is gone at the start: nothing can be decided
    Drill s{sites(2, {{"www", weighted}, {"shop", follow}})};
    s.world().interface = false;
    s.runs(9900ms);
    CHECK(s.answers("www") == "SERVFAIL");
    CHECK(s.answers("shop") == "SERVFAIL");
    s.runs(200ms);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.answers("shop") != "SERVFAIL");
    CHECK(s.count(Change::undecided_over) == 2);
}

TEST_CASE("L20: unchecked services answer at once") {
    Drill s{sites(2, {{"plain", "policy: weighted\nunchecked: true\n"}})};
    s.runs(10ms); // the store's write
    CHECK(s.answers("plain") == "east+west");
}
