#include "probes/async/wait.hpp"
#include "probes/name_watch.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::probes;

namespace {

Resolution has(const char* address, Duration ttl) {
    return {.addresses = {IpAddress::parse(address).value()}, .ttl = ttl, .answered = true};
}
Resolution none() { return {.error = "no data", .answered = true}; }
Resolution silence() { return {.error = "timeout"}; }

struct Watched {
    VirtualLoop loop;
    Resolution v4 = has("192.0.2.1", 60s), v6 = none();
    std::vector<std::string> asked;
    std::vector<NameObservation> seen;
    NameWatch watch{loop, [this](std::string name, Family f) { return resolve(std::move(name), f); },
                    [this](NameObservation o) { seen.push_back(std::move(o)); }};

    Task<Resolution> resolve(std::string name, Family f) {
        asked.push_back(name);
        co_await sleep(loop, 1ms);
        co_return f == Family::v4 ? v4 : v6;
    }
    /// How long after the first answer the second comes.
    Duration again() {
        watch.follow(std::vector<std::string>{"lb.test"});
        const Instant begun = loop.now().mono;
        while (seen.size() < 2) loop.advance(1ms);
        return seen[1].at - seen[0].at - (seen[0].at - begun);
    }
};

} // namespace

TEST_CASE("names are asked for as absolute names, and anew when their TTL is over, bounded below and above") {
    SUBCASE("its TTL") {
        Watched w;
        CHECK(w.again() == 60s);
        CHECK(w.asked == std::vector<std::string>(4, "lb.test."));
        CHECK(w.seen[0].addresses.size() == 1);
        CHECK((w.seen[0].v4 && w.seen[0].v6));
        CHECK(w.seen[0].error.empty());
    }
    SUBCASE("the smaller of the two") {
        Watched w;
        w.v6 = has("fd00::1", 20s);
        CHECK(w.again() == 20s);
        CHECK(w.seen[0].addresses.size() == 2);
    }
    SUBCASE("a TTL of nothing") {
        Watched w;
        w.v4.ttl = 0s;
        CHECK(w.again() == 5s);
    }
    SUBCASE("a TTL of a week") {
        Watched w;
        w.v4.ttl = 24h * 7;
        CHECK(w.again() == 1h);
    }
}

TEST_CASE("a failure is told and tried again soon, a family's alone too") {
    SUBCASE("no answer at all") {
        Watched w;
        w.v4 = w.v6 = silence();
        CHECK(w.again() == 5s);
        CHECK(w.seen[0].addresses.empty());
        CHECK_FALSE((w.seen[0].v4 || w.seen[0].v6));
        CHECK(w.seen[0].error == "timeout");
    }
    SUBCASE("no such name") {
        Watched w;
        w.v4 = w.v6 = none();
        CHECK(w.again() == 5s);
        CHECK(w.seen[0].error == "no data");
    }
    SUBCASE("one family") {
        Watched w;
        w.v6 = silence();
        CHECK(w.again() == 5s);
        CHECK(w.seen[0].addresses.size() == 1);
        CHECK(w.seen[0].v4);
        CHECK_FALSE(w.seen[0].v6);
        CHECK(w.seen[0].error == "timeout");
    }
}

TEST_CASE("names that are followed already keep their time, those that are not wanted end") {
    Watched w;
    w.watch.follow(std::vector<std::string>{"lb.test"});
    w.loop.advance(30s);
    w.watch.follow(std::vector<std::string>{"lb.test", "other.test"});
    w.loop.advance(1s);
    CHECK(w.seen.size() == 2);
    CHECK(w.seen.back().name == "other.test");
    w.watch.follow(std::vector<std::string>{"other.test"});
    w.loop.advance(35s);
    CHECK(w.seen.size() == 2);
    w.watch.follow(std::vector<std::string>());
    w.loop.advance(1h);
    CHECK(w.seen.size() == 2);
}
