// What an upgrade rests on: counters that are carried on, the link, a store that is another's for a while.
// The processes themselves: tests/integration/upgrade.
#include "daemon/carried_counters.hpp"
#include "daemon/sockets.hpp"
#include "daemon/storage.hpp"
#include "daemon/takeover_link.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>

using namespace fairway;
using namespace fairway::daemon;
using namespace std::chrono_literals;

namespace {

const std::string page = R"(# HELP fairway_a_total As.
# TYPE fairway_a_total counter
fairway_a_total{of="x"} 3
# HELP fairway_now Now.
# TYPE fairway_now gauge
fairway_now 7
# HELP fairway_took Took.
# TYPE fairway_took histogram
fairway_took_count 2
fairway_took_sum 1.5
fairway_took_bucket{le="1"} 1
fairway_took_bucket{le="+Inf"} 2
)";

bool has(const std::string& text, const std::string& line) {
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

std::array<TakeoverLink, 2> a_link() {
    std::array<int, 2> ends{};
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    return {TakeoverLink(Fd(ends[0])), TakeoverLink(Fd(ends[1]))};
}

}

TEST_CASE("what the process before has counted is added, series by series; gauges are our own") {
    CarriedCounters c;
    CHECK(c.over(page) == page);
    c.carry("# HELP fairway_a_total As.\n# TYPE fairway_a_total counter\nfairway_a_total{of=\"x\"} 40\n"
            "fairway_a_total{of=\"y\"} 1\n# TYPE fairway_now gauge\nfairway_now 100\n");
    const std::string sum = c.over(page);
    CHECK(has(sum, "fairway_a_total{of=\"x\"} 43"));
    CHECK(has(sum, "fairway_a_total{of=\"y\"} 1")); // nothing of it has happened here yet
    CHECK(has(sum, "fairway_now 7"));
    CHECK(has(sum, "fairway_took_sum 1.5"));
    CHECK(has(sum, "# TYPE fairway_a_total counter"));
}

TEST_CASE("histograms are carried whole, or not at all where their buckets are others") {
    CarriedCounters c;
    c.carry(CarriedCounters::of(page));
    CHECK(has(c.over(page), "fairway_took_bucket{le=\"+Inf\"} 4"));
    CHECK(has(c.over(page), "fairway_took_sum 3"));
    std::string other = page;
    other.replace(other.find("le=\"1\""), 6, "le=\"2\"");
    c.carry(CarriedCounters::of(other));
    CHECK(has(c.over(page), "fairway_took_bucket{le=\"+Inf\"} 2"));
    CHECK(has(c.over(page), "fairway_a_total{of=\"x\"} 6"));
}

TEST_CASE("over many upgrades nothing is counted twice, and a counter that is no longer counted stays") {
    std::string before;
    for (int i = 1; i <= 3; ++i) {
        CarriedCounters c;
        if (!before.empty()) c.carry(before);
        before = CarriedCounters::of(c.over(page));
        CHECK(has(before, "fairway_a_total{of=\"x\"} " + std::to_string(3 * i)));
    }
    CarriedCounters c;
    c.carry(before);
    CHECK(has(c.over(""), "fairway_a_total{of=\"x\"} 9"));
    CHECK(CarriedCounters::of(page).find("fairway_now") == std::string::npos);
}

TEST_CASE("a page waits for the last word of the process before, and not for ever") {
    CarriedCounters c;
    c.expect();
    auto text = std::async(std::launch::async, [&] { return c.over(page); });
    CHECK(text.wait_for(50ms) == std::future_status::timeout);
    c.carry(CarriedCounters::of(page));
    CHECK(has(text.get(), "fairway_a_total{of=\"x\"} 6"));
    c.expect();
    c.no_more(); // it has died: what it said before stays
    CHECK(has(c.over(page), "fairway_a_total{of=\"x\"} 6"));
}

TEST_CASE("whoever has handed its counters over shows no more than that, though it counts on") {
    CarriedCounters c;
    c.carry(CarriedCounters::of(page));
    const std::string told = c.close([] { return page; });
    CHECK(has(told, "fairway_a_total{of=\"x\"} 6"));
    std::string later = page;
    later.replace(later.find("\"x\"} 3"), 6, "\"x\"} 9");
    CHECK(has(c.over(later), "fairway_a_total{of=\"x\"} 6"));
    CHECK(has(c.over(later), "fairway_now 7"));
    CHECK(has(c.close([&] { return later; }), "fairway_a_total{of=\"x\"} 12")); // its last word has it all
    CHECK(has(c.over(later), "fairway_a_total{of=\"x\"} 6"));
}

TEST_CASE("a message of the link comes whole, with its descriptors; the end is no message") {
    auto [one, other] = a_link();
    const Fd listening = listen_tcp(SocketAddress::parse("127.0.0.1:0").value());
    const std::vector<int> many(TakeoverLink::most_descriptors, listening.get());
    const std::string text(100'000, 'x');
    CHECK(one.tell("sockets", {{"text", text}}, many));
    const auto m = other.hear(1s);
    REQUIRE(m);
    CHECK(m->word() == "sockets");
    CHECK(m->body.text("text") == text);
    REQUIRE(m->descriptors.size() == many.size());
    CHECK(bound_address(m->descriptors.back()) == bound_address(listening));
    CHECK_FALSE(other.hear(10ms));
    { const TakeoverLink gone = std::move(one); }
    CHECK_FALSE(other.hear(10s)); // at once
    CHECK_FALSE(other.tell("hello"));
}

TEST_CASE("whoever waits at the link can be told to stop") {
    auto [one, other] = a_link();
    std::atomic<bool> stop = false;
    auto heard = std::async(std::launch::async, [&] { return other.hear(60s, &stop).has_value(); });
    stop = true;
    CHECK_FALSE(heard.get());
}

TEST_CASE(
    "a paused store has written all, writes nothing, and goes on where it was; or leaves it to another") {
    const Scratch scratch;
    const auto now = [] { return WallTime(); };
    const auto written = [&](const char* key) { // read beside it, as the process that takes over does
        auto other = open_shared_state(scratch.path, WallTime(), {}, -1);
        read_again(other);
        return std::ranges::count(other.restored.members, key, &policies::MemberRecord::key) == 1;
    };
    const auto a_write = [](const char* key) {
        StateWrite w;
        w.members = {{.key = key}};
        return w;
    };
    auto storage = std::make_unique<Storage>(
        open_state(scratch.path, WallTime()), [](auto f) { f(); }, now, [](const std::string&) {});
    storage->write(a_write("first"), [](const std::string&) {});
    CHECK(storage->pause(10s));
    CHECK(written("first"));
    std::promise<void> done;
    storage->write(a_write("second"), [&](const std::string&) { done.set_value(); });
    auto second = done.get_future();
    CHECK(second.wait_for(50ms) == std::future_status::timeout);
    CHECK_FALSE(written("second"));
    storage->resume();
    second.get();
    CHECK(written("second"));
    CHECK(storage->pause(10s));
    storage->write(a_write("third"), [](const std::string&) {});
    storage.reset(); // ends, and does not write what is not its own to write
    CHECK_FALSE(written("third"));
}
