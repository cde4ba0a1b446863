// What a zone's listing shows, and in which order.
#include "dns/zone_listing.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

using Kind = ListedName::Kind;

SnapshotPtr served() {
    Model m;
    m.zones = {
        zone_of("example.com",
                {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1", "ns1 A 192.0.2.53",
                 "z.deep.er A 192.0.2.1", "sub NS ns.sub", "ns.sub A 192.0.2.2", "*.w A 192.0.2.3"}),
        zone_of("example.org", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1.example.com."})};
    m.services.resize(1);
    m.services[0].name = *Name::parse("s.example.com");
    AnswerPlan plan;
    plan.kind = AnswerPlan::Kind::draw;
    plan.choices.resize(1);
    plan.choices[0].weight = 1;
    plan.choices[0].addresses = {*IpAddress::parse("10.1.0.1")};
    return compile(m, std::vector{plan}, 1);
}

std::vector<std::pair<std::string, Kind>> words(const ZoneListing& listing) {
    std::vector<std::pair<std::string, Kind>> all;
    for (const auto& n : listing.names) all.emplace_back(n.name.to_string(), n.kind);
    return all;
}

} // namespace

TEST_CASE("a zone is listed whole, in the order of RFC 4034, with what each name is") {
    Random random{1};
    const auto snapshot = served();
    const auto all = list_names(*snapshot, *Name::parse("example.com"), {}, 100, {}, random);
    CHECK(words(all) == std::vector<std::pair<std::string, Kind>>{{"example.com", Kind::records},
                                                                  {"er.example.com", Kind::empty},
                                                                  {"deep.er.example.com", Kind::empty},
                                                                  {"z.deep.er.example.com", Kind::records},
                                                                  {"ns1.example.com", Kind::records},
                                                                  {"s.example.com", Kind::service},
                                                                  {"sub.example.com", Kind::delegated},
                                                                  {"ns.sub.example.com", Kind::hidden},
                                                                  {"w.example.com", Kind::empty},
                                                                  {"*.w.example.com", Kind::records}});
    CHECK_FALSE(all.more);
    CHECK(all.names[0].messages.size() == 2); // SOA and NS
    CHECK(all.names[5].messages.size() == 2); // A and AAAA as they are answered
    CHECK(all.names[7].messages.size() == 1); // glue
}

TEST_CASE("pages of a listing together are the listing") {
    Random random{1};
    const auto snapshot = served();
    const auto all = words(list_names(*snapshot, *Name::parse("."), {}, 100, {}, random));
    CHECK(all.size() == 11);
    for (std::size_t size : {1u, 2u, 3u, 7u, 11u}) {
        std::vector<std::pair<std::string, Kind>> together;
        std::optional<Name> after;
        for (bool more = true; more;) {
            const auto page = list_names(*snapshot, *Name::parse("."), after, size, {}, random);
            for (const auto& w : words(page)) together.push_back(w);
            more = page.more;
            after = page.names.back().name;
        }
        CHECK(together == all);
    }
    CHECK(list_zones(*snapshot).size() == 2);
}
