// What reaches the DNS workers, and when.
#include "daemon/publisher.hpp"
#include "tests/unit/policies/builders.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::daemon;
namespace make = fairway::policies::test;

TEST_CASE("a new configuration is published, be there services or not") {
    VirtualLoop loop;
    std::vector<std::uint64_t> published;
    Outlets outlets;
    outlets.publish = [&](auto, const auto&, std::uint64_t generation) { published.push_back(generation); };
    Publisher publisher(loop, outlets, 7);
    const policies::Engine engine(std::make_shared<const Model>(make::world(2)), {}, loop.now());

    publisher.publish({}, {}, {}, engine);
    CHECK(published.empty());
    publisher.renumber({});
    publisher.publish({}, {}, {}, engine);
    CHECK(published == std::vector<std::uint64_t>{8});
    publisher.publish({}, {}, {}, engine); // once
    CHECK(published.size() == 1);

    const auto ticket = publisher.queue({}, {});
    publisher.renumber({});
    publisher.publish({}, {}, {}, engine);
    CHECK(published.size() == 1); // something waits for the store, and this goes with it
    publisher.release(ticket, engine);
    CHECK(published.size() == 2);
}

TEST_CASE("a service is awaited while its first answer waits, and never again") {
    VirtualLoop loop;
    const Outlets outlets;
    Publisher publisher(loop, outlets, 7);
    const policies::Engine engine(std::make_shared<const Model>(make::world(2)), {}, loop.now());
    CHECK_FALSE(publisher.awaits_first(0));
    const auto first = publisher.queue({0}, {});
    CHECK(publisher.awaits_first(0));
    CHECK_FALSE(publisher.awaits_first(1));
    publisher.release(first, engine);
    CHECK_FALSE(publisher.awaits_first(0));
    publisher.queue({0}, {}); // it is answered meanwhile
    CHECK_FALSE(publisher.awaits_first(0));
}
