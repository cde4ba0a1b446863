#include "probes/address_book.hpp"
#include "tests/unit/probes/virtual_loop.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::probes;

namespace {

struct Names {
    VirtualLoop loop;
    Resolution answer;
    int asked = 0;
    AddressBook book{loop, [this](std::string) { return resolve(); }};

    Task<Resolution> resolve() {
        ++asked;
        co_await sleep(loop, 10ms);
        co_return answer;
    }
    Resolution find() {
        Task<Resolution> task = book.find("pg1.east.internal");
        task.start();
        loop.advance(20ms);
        REQUIRE(task.done());
        return task.take();
    }
};

Resolution of(std::vector<std::string> texts, Duration ttl) {
    Resolution r;
    for (const std::string& t : texts) r.addresses.push_back(IpAddress::parse(t).value());
    r.ttl = ttl;
    return r;
}

} // namespace

TEST_CASE("a name is asked for once per TTL") {
    Names n;
    n.answer = of({"192.0.2.2", "192.0.2.1"}, 60s);
    CHECK(n.find().addresses == of({"192.0.2.1", "192.0.2.2"}, 0s).addresses); // sorted
    n.loop.advance(59s);
    n.find();
    CHECK(n.asked == 1);
    n.loop.advance(1s);
    n.find();
    CHECK(n.asked == 2);
}

TEST_CASE("a TTL of zero is not a query a look") {
    Names n;
    n.answer = of({"192.0.2.1"}, 0s);
    for (int i = 0; i < 50; ++i) n.find(); // one second
    CHECK(n.asked == 1);
    n.loop.advance(5s);
    n.find();
    CHECK(n.asked == 2);
}

TEST_CASE("a failed resolution keeps the last addresses; only with none it is an error (L3)") {
    Names n;
    n.answer.error = "not found";
    CHECK(n.find().addresses.empty());
    CHECK(n.find().error == "not found");
    n.loop.advance(5s);
    n.answer = of({"192.0.2.1"}, 5s);
    CHECK(n.find().addresses.size() == 1);
    n.answer = Resolution{};
    n.answer.error = "not found";
    for (int i = 0; i < 5; ++i) {
        n.loop.advance(10s);
        CHECK(n.find().addresses.size() == 1);
    }
    CHECK(n.asked > 5);
}

TEST_CASE("a changed address is followed") {
    Names n;
    n.answer = of({"192.0.2.1"}, 5s);
    n.find();
    n.answer = of({"192.0.2.9"}, 5s);
    n.loop.advance(6s);
    n.find(); // the old one while the new is asked for
    CHECK(n.find().addresses == of({"192.0.2.9"}, 0s).addresses);
}

TEST_CASE("all who wait for one name wait for one query") {
    Names n;
    n.answer = of({"192.0.2.1"}, 5s);
    Task<Resolution> a = n.book.find("x"), b = n.book.find("x");
    a.start();
    b.start();
    n.loop.advance(20ms);
    REQUIRE(a.done());
    REQUIRE(b.done());
    CHECK(n.asked == 1);
}

TEST_CASE("a name forgotten while it is asked for troubles nobody") {
    Names n;
    n.answer = of({"192.0.2.1"}, 5s);
    {
        Task<Resolution> a = n.book.find("x");
        a.start();
        n.book.forget_all_but({});
    }
    n.loop.advance(20ms);
    CHECK(n.find().addresses.size() == 1);
}

TEST_CASE("a reload keeps the addresses of what is still configured, and forgets the rest") {
    Names n;
    n.answer = of({"192.0.2.1"}, 60s);
    n.find();
    n.book.forget_all_but({"pg1.east.internal"});
    n.find();
    CHECK(n.asked == 1);
    n.book.forget_all_but({"another"});
    n.answer = {};
    n.answer.error = "not found";
    CHECK(n.find().addresses.empty()); // what it was is not believed when it comes back
    CHECK(n.asked == 2);
}
