// S3, S4: a store that takes writes at each site tells of its links itself.
#include "tests/unit/policies/builders.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

Model feed(Service::Consistency consistency = Service::Consistency::eventual) {
    Model m = world(2);
    Service& s = serve(m, "feed", RoundRobin{});
    s.stateful = on(db);
    s.consistency = consistency;
    return m;
}

Facts writes(std::uint64_t position, bool replicates, std::optional<Duration> behind = {}) {
    Facts f;
    f.role = Role::primary;
    f.read_only = false;
    f.position = position;
    f.replicates = replicates;
    f.behind = behind;
    return f;
}

} // namespace

TEST_CASE("S4: a link that fails while both sides write is divergence, until it works again") {
    Desk d(feed());
    d.everywhere(Sight::pass);
    std::uint64_t n = 1;
    auto beats = [&](int count, bool link) {
        for (int i = 0; i < count; ++i) {
            for (auto dc : {"east", "west"}) d.now_sees(dc, "db", Sight::pass, writes(n, link, 0s));
            ++n;
            d.beats(1);
        }
    };
    beats(10, true);
    CHECK(d.said(Change::diverging) == 0);
    beats(10, false);
    CHECK(d.said(Change::diverging) == 1);
    CHECK(d.alarmed("diverging"));
    CHECK(d.answer() == "east+west");
    beats(10, true);
    CHECK(d.said(Change::diverging_over) == 1);
    CHECK_FALSE(d.alarmed("diverging"));
    CHECK(d.answer() == "east+west");
}

TEST_CASE("S4: a link that fails while nobody writes is no divergence") {
    Desk d(feed());
    d.everywhere(Sight::pass);
    for (auto dc : {"east", "west"}) d.now_sees(dc, "db", Sight::pass, writes(1, true, 0s));
    d.beats(10);
    for (auto dc : {"east", "west"}) d.now_sees(dc, "db", Sight::pass, writes(1, false));
    d.beats(60);
    CHECK(d.said(Change::diverging) == 0);
    CHECK(d.answer() == "east+west"); // nor does it take anybody out who serves (L1)
}

TEST_CASE("S3: a lost site is back when what the others wrote has reached it") {
    Desk d(feed());
    d.everywhere(Sight::pass);
    for (auto dc : {"east", "west"}) d.now_sees(dc, "db", Sight::pass, writes(1, true, 1s));
    d.beats(4);
    d.now_sees("east", Sight::refuse);
    d.beats(4);
    REQUIRE(d.answer() == "west");
    const auto fault = d.engine.report(d.now).services[0].fault;
    REQUIRE(fault);
    CHECK(fault->lag == 1s);
    d.now_sees("east", Sight::pass);
    d.now_sees("east", "db", Sight::pass, writes(2, false));
    d.beats(40);
    CHECK(d.answer() == "west"); // it passes, and its link does not work
    d.now_sees("east", "db", Sight::pass, writes(2, true, 60s));
    d.beats(5);
    CHECK(d.answer() == "west"); // max_lag is 10 s
    d.now_sees("east", "db", Sight::pass, writes(2, true, 0s));
    d.beats(3);
    CHECK(d.answer() == "east+west");
}

TEST_CASE(
    "a primary that follows another site as well is no worse for it where consistency is not eventual") {
    Desk d(feed(Service::Consistency::unsaid));
    d.everywhere(Sight::pass);
    for (auto dc : {"east", "west"}) d.now_sees(dc, "db", Sight::pass, writes(1, false));
    d.beats(40);
    CHECK(d.answer() == "east+west");
    CHECK(d.said(Change::diverging) == 0);
}
