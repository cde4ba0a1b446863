#include "policies/alias.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::policies;

namespace {

using Texts = std::vector<std::string>;

std::vector<IpAddress> ips(const Texts& texts) {
    std::vector<IpAddress> all;
    for (const std::string& t : texts) all.push_back(IpAddress::parse(t).value());
    return all;
}

NameObservation has(const Texts& texts, Duration ttl = 30s, Duration at = 100s) {
    return {
        .name = "lb.test", .addresses = ips(texts), .v4 = true, .v6 = true, .ttl = ttl, .at = Instant(at)};
}

NameObservation failed(const std::string& why) {
    return {.name = "lb.test", .error = why, .at = Instant(200s)};
}

bool none(const IpAddress&) { return false; }

} // namespace

TEST_CASE("L6: what has vanished is kept until something that was found passes, a family at a time") {
    struct Row {
        std::string what;
        Texts before, now, passing, kept;
    };
    const std::vector<Row> rows{
        {"nothing passes", {"192.0.2.1"}, {"192.0.2.2"}, {}, {"192.0.2.1", "192.0.2.2"}},
        {"the new one passes", {"192.0.2.1"}, {"192.0.2.2"}, {"192.0.2.2"}, {"192.0.2.2"}},
        {"only the old one passes", {"192.0.2.1"}, {"192.0.2.2"}, {"192.0.2.1"}, {"192.0.2.1", "192.0.2.2"}},
        {"one that stayed passes", {"192.0.2.1", "192.0.2.2"}, {"192.0.2.2"}, {"192.0.2.2"}, {"192.0.2.2"}},
        {"IPv6 that passes lets go of no IPv4 while there is some",
         {"192.0.2.1", "fd00::1"},
         {"192.0.2.2", "fd00::2"},
         {"fd00::2"},
         {"192.0.2.1", "192.0.2.2", "fd00::2"}},
        {"a family that the name gave up goes with the other's first pass",
         {"192.0.2.1", "fd00::1"},
         {"192.0.2.2"},
         {"192.0.2.2"},
         {"192.0.2.2"}},
    };
    for (const Row& row : rows) {
        CAPTURE(row.what);
        Alias a;
        CHECK(resolve(a, has(row.before)));
        resolve(a, has(row.now));
        const auto passing = ips(row.passing);
        let_go(a, [&](const IpAddress& p) {
            return std::find(passing.begin(), passing.end(), p) != passing.end();
        });
        CHECK(a.addresses() == ips(row.kept));
        CHECK(a.found == ips(row.now));
    }
}

TEST_CASE("L3: no answer, no such name and no address take nothing away") {
    for (const auto& seen : {failed("timeout"), has({}), [] {
                                 auto nothing = has({});
                                 nothing.error = "Domain name not found";
                                 return nothing;
                             }()}) {
        Alias a;
        resolve(a, has({"192.0.2.1", "fd00::1"}));
        CHECK_FALSE(resolve(a, seen));
        CHECK(a.addresses() == ips({"192.0.2.1", "fd00::1"}));
        CHECK_FALSE(a.error.empty());
        CHECK(fails_at(a) == Instant(100s + 300s)); // not put off by trying
    }
}

TEST_CASE("L3: a family that was not answered keeps what it had; one that was, and has none, has none") {
    Alias a;
    resolve(a, has({"192.0.2.1", "fd00::1"}));
    auto seen = has({"192.0.2.2"});
    seen.v6 = false;
    CHECK(resolve(a, seen));
    CHECK(a.found == ips({"192.0.2.2", "fd00::1"}));
    seen.v6 = true;
    CHECK_FALSE(resolve(a, seen)); // still answered, but vanished
    CHECK(a.found == ips({"192.0.2.2"}));
}

TEST_CASE("an alias is bounded, whatever a name server far away says") {
    Alias a;
    for (int round = 0; round < 20; ++round) {
        Texts many;
        for (int i = 0; i < 250; ++i)
            many.push_back("10.0." + std::to_string(round) + "." + std::to_string(i));
        many.push_back(many.front()); // twice
        resolve(a, has(many, 0s));
        CHECK(a.found.size() == most_alias_addresses);
        CHECK(a.vanished.size() <= most_alias_addresses);
    }
    CHECK(a.ttl == alias_ttl_floor);
    CHECK_FALSE(let_go(a, none));
}
