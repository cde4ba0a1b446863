#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

namespace {

const std::string apart = "application: web\nfamilies: independent\n";
const std::string both =
    "east: {addresses: [10.1.0.1, \"fd00:1::1\"]}\nwest: {addresses: [10.2.0.1, \"fd00:2::1\"]}\n";

std::string two(const std::string& keys, const std::string& endpoints = both) {
    return sites_with(2, {"www", keys + apart}, endpoints);
}

} // namespace

TEST_CASE("L11: a datacenter whose IPv6 looks are down leaves AAAA answers only") {
    Drill s{two("policy: weighted\n")};
    s.runs(1min);
    REQUIRE(s.answers("www A") == "east+west");
    REQUIRE(s.answers("www AAAA") == "east+west");
    CHECK(s.addresses("www A", "east") == Addresses{"10.1.0.1"});
    CHECK(s.addresses("www AAAA", "east") == Addresses{"fd00:1::1"});
    // when
    const auto fault = s.target("[fd00:1::1]:8080", saying::status(503));
    s.runs(20s);
    // then
    CHECK(s.answers("www AAAA") == "west");
    CHECK(s.answers("www A") == "east+west");
    CHECK(s.moves("www A", fault) == 0);
    CHECK_FALSE(s.endpoint("www AAAA", "east").fit);
    CHECK(s.endpoint("www A", "east").fit);
    // and what is said of it names the family
    const auto told = s.all(Change::endpoint_unfit, fault);
    REQUIRE(told.size() == 1);
    CHECK(told[0].what.transition.service == "www.gtm.example.com AAAA");
    // and when IPv6 is back, so is AAAA
    s.target_works("[fd00:1::1]:8080");
    s.runs(2min);
    CHECK(s.answers("www AAAA") == "east+west");
}

TEST_CASE("L11: with `same_site`, the default, the datacenter stays and its AAAA is empty") {
    Drill s{sites_with(2, {"www", "policy: weighted\napplication: web\n"}, both)};
    s.runs(1min);
    s.target("[fd00:1::1]:8080", saying::status(503));
    s.runs(20s);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.addresses("www", "east") == Addresses{"10.1.0.1"});
}

TEST_CASE("L11, L12: each family of an active/passive service has a latch and a failback of its own") {
    Drill s{two("policy: {type: active_passive, order: [east, west]}\nfailback: manual\n")};
    s.runs(1min);
    s.target("[fd00:1::1]:8080", saying::refused());
    s.runs(20s);
    REQUIRE(s.answers("www A") == "east");
    REQUIRE(s.answers("www AAAA") == "west");
    s.target_works("[fd00:1::1]:8080");
    s.runs(10min);
    CHECK(s.answers("www AAAA") == "west");
    CHECK(s.report("www AAAA").state == "awaiting failback");
    CHECK(s.report("www A").state == "serving");
    // a restart keeps each where it is
    s.restart();
    s.runs(1min);
    CHECK(s.answers("www A") == "east");
    CHECK(s.answers("www AAAA") == "west");
    // when
    REQUIRE(s.failback("www AAAA").accepted);
    s.runs(5s);
    // then
    CHECK(s.answers("www AAAA") == "east");
    CHECK(s.moves("www A", s.now() - 10min) == 0);
}

TEST_CASE("L8, L11: a family with nothing fit goes by on_all_down, the other as ever") {
    for (const auto& [said, answer] : std::vector<std::pair<std::string, std::string>>{
             {"on_all_down: nodata\n", "NODATA"},
             {"on_all_down: servfail\n", "SERVFAIL"},
             {"on_all_down: {static: [192.0.2.99]}\n", "NODATA"}, // none of its family
             {"on_all_down: {static: [192.0.2.99, \"fd00:9::9\"]}\n", "fixed"},
             {"on_all_down: as_if_all_up\n", "east+west"}}) {
        CAPTURE(said);
        Drill s{two("policy: weighted\n" + said)};
        s.runs(1min);
        s.target("[fd00:1::1]:8080", saying::refused());
        s.target("[fd00:2::1]:8080", saying::refused());
        s.runs(2min);
        CHECK(s.answers("www AAAA") == answer);
        CHECK(s.answers("www A") == "east+west");
        CHECK(s.alarm("all_down"));
    }
}

TEST_CASE("L11: a datacenter without IPv6 is no place for AAAA, whatever its IPv4 does") {
    Drill s{two("policy: {type: active_passive, order: [east, west]}\n",
                "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1, \"fd00:2::1\"]}\n")};
    s.runs(1min);
    CHECK(s.answers("www A") == "east");
    CHECK(s.answers("www AAAA") == "west");
    CHECK(s.report("www AAAA").preferred == "west");
    CHECK(s.report("www AAAA").designed == 0); // one failure domain has IPv6
    s.kill("west");
    s.runs(20s);
    CHECK(s.answers("www A") == "east");
    CHECK(s.answers("www AAAA") == "west"); // as if it were up: nothing else could be answered
}

TEST_CASE("L19: an operator's word on the name is one on both families, and on a half on that half") {
    Drill s{two("policy: weighted\n")};
    s.runs(1min);
    REQUIRE(s.drain("www AAAA", "east").accepted);
    s.runs(5s);
    CHECK(s.answers("www AAAA") == "west");
    CHECK(s.answers("www A") == "east+west");
    REQUIRE(s.undrain("www AAAA", "east").accepted);
    s.runs(5s);
    CHECK(s.answers("www AAAA") == "east+west");
    REQUIRE(s.drain("www", "west").accepted);
    s.runs(5s);
    CHECK(s.answers("www AAAA") == "east");
    CHECK(s.answers("www A") == "east");
}

TEST_CASE("L11, H11: families that are decided together from now on, or apart, keep their answers through "
          "the reload") {
    const std::string together = sites_with(
        2,
        {"www", "policy: {type: active_passive, order: [east, west]}\nfailback: manual\napplication: web\n"},
        both);
    const std::string halves = two("policy: {type: active_passive, order: [east, west]}\nfailback: manual\n");
    Drill s{together};
    s.runs(1min);
    s.target("10.1.0.1:8080", saying::refused());
    s.target("[fd00:1::1]:8080", saying::refused());
    s.runs(30s);
    REQUIRE(s.answers("www") == "west");
    s.target_works("10.1.0.1:8080");
    s.target_works("[fd00:1::1]:8080");
    s.runs(5min);
    s.reload(halves);
    s.runs(1min);
    CHECK(s.answers("www A") == "west");
    CHECK(s.answers("www AAAA") == "west");
    s.reload(together);
    s.runs(1min);
    CHECK(s.answers("www") == "west");
}
