// L16: lag by position, reckoned to the last moment at which the primary was seen.
#include "policies/lag.hpp"
#include "tests/unit/policies/builders.hpp"

#include <random>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

TEST_CASE("nothing is known before the primary has been sampled") { CHECK_FALSE(PrimaryTrack{}.behind(5)); }

TEST_CASE("an idle primary does not look like lag") {
    PrimaryTrack t;
    t.sample(dawn, 100, 1);
    for (int i = 1; i < 5000; ++i) t.sample(dawn + i * 2s, 100, 1);
    auto lag = t.behind(100);
    REQUIRE(lag);
    CHECK(lag->bytes == 0);
    CHECK(lag->time == 0s);
    CHECK(lag->sampled == dawn + 4999 * 2s);
}

TEST_CASE("a standby is as late as the primary's passing of what it has received") {
    PrimaryTrack t;
    for (int i = 0; i <= 10; ++i) t.sample(dawn + i * 2s, 100u + 10u * static_cast<unsigned>(i), 1);
    struct Row {
        std::uint64_t received, bytes;
        Duration time;
    };
    for (const Row& r : {Row{200, 0, 0s}, Row{195, 5, 2s}, Row{190, 10, 2s}, Row{150, 50, 10s},
                         Row{100, 100, 20s}, Row{50, 150, 20s}, Row{300, 0, 0s}}) {
        auto lag = t.behind(r.received);
        REQUIRE(lag);
        CHECK(lag->bytes == r.bytes);
        CHECK(lag->time == r.time);
    }
}

TEST_CASE("once the primary is no longer sampled its lag is reckoned to its last sample, not to now") {
    PrimaryTrack t;
    t.sample(dawn, 100, 1);
    t.sample(dawn + 2s, 150, 1);
    // An hour later: `behind` is not told the time at all.
    CHECK(t.behind(100)->time == 2s);
    CHECK(t.behind(100)->sampled == dawn + 2s);
}

TEST_CASE("a new epoch begins anew, and an old primary that lives on is not listened to") {
    PrimaryTrack t;
    t.sample(dawn, 1000, 1);
    t.sample(dawn + 2s, 1100, 1);
    t.sample(dawn + 4s, 1050, 2);
    CHECK(t.behind(1050)->bytes == 0);
    CHECK(t.behind(1000)->bytes == 50);
    t.sample(dawn + 6s, 9000, 1);
    CHECK(t.behind(1050)->bytes == 0);
    CHECK(t.behind(1050)->sampled == dawn + 4s);
}

TEST_CASE("the track is what remembering every sample would say") {
    std::mt19937 random(2);
    for (int story = 0; story < 300; ++story) {
        PrimaryTrack t;
        std::vector<std::pair<Instant, std::uint64_t>> all;
        Instant when = dawn;
        std::uint64_t position = 1000;
        for (int i = 0; i < 60; ++i) {
            when += std::chrono::milliseconds(100 + random() % 4000);
            if (random() % 3 == 0) position += random() % 50;
            t.sample(when, position, 7);
            all.push_back({when, position});

            std::uint64_t received = 980 + random() % (position - 970);
            auto lag = t.behind(received);
            REQUIRE(lag);
            CHECK(lag->sampled == when);
            if (received >= position) {
                CHECK(lag->bytes == 0);
                CHECK(lag->time == 0s);
                continue;
            }
            Instant passed_at = all.front().first;
            for (auto& [at, p] : all)
                if (p <= received) passed_at = at;
            CHECK(lag->bytes == position - received);
            CHECK(lag->time == when - passed_at);
        }
    }
}

TEST_CASE("the lag at a fault is the last one that was noted before it, however much it has grown since") {
    LagMemory lags;
    CHECK_FALSE(lags.at(dawn));
    for (int i = 0; i < 10; ++i) lags.note(dawn + i * 2s, i * 1s);
    CHECK(lags.at(dawn + 9s) == 4s); // noted at 8 s
    CHECK(lags.at(dawn + 8s) == 4s);
    CHECK(lags.at(dawn + 1h) == 9s);
    CHECK(lags.at(dawn - 1s) == 0s);                        // the oldest there is
    for (int i = 0; i < 100; ++i) lags.note(dawn + 1h, 7s); // bounded
    CHECK(lags.at(dawn) == 7s);
}
