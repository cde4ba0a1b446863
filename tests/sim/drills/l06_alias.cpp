#include "tests/sim/drill.hpp"

using namespace fairway;
using namespace fairway::sim;
using namespace std::chrono_literals;
using Addresses = std::vector<std::string>;

namespace {

const std::string name = "lb-west.cloud.example.net";

std::vector<IpAddress> ips(std::initializer_list<const char*> texts) {
    std::vector<IpAddress> all;
    for (const char* t : texts) all.push_back(*IpAddress::parse(t));
    return all;
}

/// West is whatever a cloud provider's name says it is.
struct AliasDrill : Drill {
    explicit AliasDrill(std::string keys = weighted)
        : Drill(sites_with(2, {"www", std::move(keys)},
                           "east: {addresses: [10.1.0.1]}\nwest: {alias: " + name + ".}\n")) {}
    void says(std::initializer_list<const char*> addresses) {
        world().names[name].addresses = ips(addresses);
    }
    Addresses west() { return addresses("www", "west"); }
};

} // namespace

TEST_CASE("L6: the addresses of an alias are answered once they pass, and follow the name within its TTL") {
    AliasDrill s;
    s.says({"10.2.0.1", "10.2.0.2"});
    s.runs(10s);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.west() == Addresses{"10.2.0.1", "10.2.0.2"});
    // when one comes and one goes
    s.says({"10.2.0.2", "10.2.0.3"});
    s.runs(1min);
    // then
    CHECK(s.west() == Addresses{"10.2.0.2", "10.2.0.3"});
    CHECK(s.count(Change::alias_changed) == 2);
    CHECK(s.moves("www", s.now() - 1min) == 0); // west never left the answer
}

TEST_CASE("L6: a vanished address is kept until a new one has passed") {
    AliasDrill s;
    s.says({"10.2.0.1"});
    s.runs(1min);
    // when the name moves to an address that does not work yet
    s.says({"10.2.0.9"});
    s.runs_until([&] { return s.count(Change::alias_changed) == 2; }, 1min);
    s.world().target("10.2.0.9:8080").says = saying::refused();
    s.runs(5min);
    CHECK(s.west() == Addresses{"10.2.0.1"});
    // and then does
    s.target_works("10.2.0.9:8080");
    s.runs(1min);
    CHECK(s.west() == Addresses{"10.2.0.9"});
    CHECK(s.answers("www") == "east+west");
}

TEST_CASE("L3: a name that cannot be resolved, or no longer exists, keeps its last addresses; an alarm after "
          "ten TTLs") {
    AliasDrill s;
    s.says({"10.2.0.1", "fd00::2"});
    s.runs(1min);
    REQUIRE(s.west().size() == 2);
    const auto begun = s.now();
    SUBCASE("no answer") { s.world().names[name].v4_fails = s.world().names[name].v6_fails = true; }
    SUBCASE("NXDOMAIN") { s.world().names.clear(); }
    SUBCASE("no address") { s.says({}); }
    s.runs(4min);
    CHECK_FALSE(s.alarm("alias"));
    s.runs(2min);
    CHECK(s.alarm("alias"));
    CHECK(s.count(Change::alias_failing) == 1);
    CHECK(s.west().size() == 2);
    CHECK(s.answers("www") == "east+west");
    CHECK(s.moves("www", begun) == 0);
    // and it goes on to be looked at: what is dead is withdrawn
    s.target("10.2.0.1:8080", saying::refused());
    s.target("[fd00::2]:8080", saying::refused());
    s.runs(10s);
    CHECK(s.answers("www") == "east");
    // and when it is resolved again, the alarm ends
    s.world().names[name] = {.addresses = ips({"10.2.0.3"})};
    s.runs(2min);
    CHECK_FALSE(s.alarm("alias"));
    CHECK(s.count(Change::alias_resolves) == 1);
    CHECK(s.west() == Addresses{"10.2.0.3"});
}

TEST_CASE("L3: one family that is not answered takes nothing from the other") {
    AliasDrill s;
    s.says({"10.2.0.1", "fd00::2"});
    s.runs(1min);
    s.world().names[name].v6_fails = true;
    s.says({"10.2.0.1", "10.2.0.2", "fd00::2"});
    s.runs(1min);
    CHECK(s.west() == Addresses{"10.2.0.1", "10.2.0.2", "fd00::2"});
}

TEST_CASE("L20: a restart while the name cannot be resolved forgets none of its addresses") {
    AliasDrill s;
    s.says({"10.2.0.1"});
    s.runs(1min);
    s.world().names.clear();
    SUBCASE("soon") { s.restart(); }
    SUBCASE("after an hour") { s.restart(1h); }
    s.runs(1min);
    CHECK(s.west() == Addresses{"10.2.0.1"});
    CHECK(s.answers("www") == "east+west");
}

TEST_CASE("L20: a name that was never resolved holds nothing up: the rest is answered") {
    AliasDrill s;
    s.runs(15s);
    CHECK(s.answers("www") == "east");
    CHECK(s.endpoint("www", "west").reason == name + " has not been resolved");
    s.says({"10.2.0.1"});
    s.runs(1min);
    CHECK(s.answers("www") == "east+west");
}

TEST_CASE("L6: without checks the name's addresses are answered as they are") {
    AliasDrill s("policy: weighted\nunchecked: true\n");
    s.says({"10.2.0.1"});
    s.runs(10s);
    CHECK(s.west() == Addresses{"10.2.0.1"});
    s.says({"10.2.0.2"});
    s.runs(1min);
    CHECK(s.west() == Addresses{"10.2.0.2"});
}

TEST_CASE("L6: addresses that rotate with every answer disturb nobody") {
    AliasDrill s(ordered("west, east"));
    s.world().names[name].ttl = 5s;
    s.says({"10.2.0.1"});
    s.runs(1min);
    const auto begun = s.now();
    for (int i = 0; i < 120; ++i) {
        const std::string address = "10.2.1." + std::to_string(i % 20);
        s.says({address.c_str()});
        s.runs(5s);
    }
    CHECK(s.answers("www") == "west");
    CHECK(s.moves("www", begun) == 0);
    CHECK(s.west().size() == 1);
}
