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
    const NameOrder order(*snapshot->fixed);
    const auto all = list_names(*snapshot, order, *Name::parse("example.com"), {}, 100, {}, random);
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
    const NameOrder order(*snapshot->fixed);
    const auto all = words(list_names(*snapshot, order, *Name::parse("."), {}, 100, {}, random));
    CHECK(all.size() == 11);
    for (std::size_t size : {1u, 2u, 3u, 7u, 11u}) {
        std::vector<std::pair<std::string, Kind>> together;
        std::optional<Name> after;
        for (bool more = true; more;) {
            const auto page = list_names(*snapshot, order, *Name::parse("."), after, size, {}, random);
            for (const auto& w : words(page)) together.push_back(w);
            more = page.more;
            after = page.names.back().name;
        }
        CHECK(together == all);
    }
    CHECK(order.zones() == std::vector{*Name::parse("example.com"), *Name::parse("example.org")});
}

namespace {

/// A zone "example" with these names, each relative to it, and the order they are listed in.
std::vector<std::string> listed(const std::vector<std::string>& names) {
    std::vector<std::string> records{"@ 3600 SOA ns1.test. host 1 3600 600 86400 60", "@ 3600 NS ns1.test."};
    for (const auto& n : names) records.push_back(n + " TXT x");
    Model m;
    m.zones = {zone_of("example", records)};
    const auto snapshot = compile(m, {}, 1);
    const NameOrder order(*snapshot->fixed);
    std::vector<std::string> all;
    Random random{1};
    for (const auto& n : list_names(*snapshot, order, *Name::parse("example"), {}, 1000, {}, random).names)
        all.push_back(n.name.to_string());
    return all;
}

} // namespace

TEST_CASE("names are in the order of RFC 4034 section 6.1") {
    struct Row {
        std::string what;
        std::vector<std::string> names; ///< as they are to be listed, behind the apex
    };
    const Row rows[] = {
        {"the RFC's own, in lower case",
         {"a", "yljkjljk.a", "z.a", "zabc.a", "z", "\\001.z", "*.z", "\\200.z"}},
        {"a name's descendants come before the next name, whatever that begins with",
         {"a", "z.a", "\\000a.z.a", "z.z.a", "a\\000", "a-", "a0", "aa"}},
        {"the shorter of two labels is the smaller one", {"a", "aa", "aaa", "ab", "b"}},
        {"octets are unsigned, and those beside the letters keep their places",
         {"\\000", "\\000\\000", "\\001", "-", "0", "9", "\\064", "[", "_", "`", "a", "z", "{", "\\127",
          "\\128", "\\255"}},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        std::vector<std::string> expected{"example"};
        for (const auto& n : row.names) expected.push_back(Name::parse(n + ".example")->to_string());
        std::vector<std::string> mixed(row.names.rbegin(), row.names.rend());
        CHECK(listed(mixed) == expected);
    }
}

TEST_CASE("a listing begins behind whatever name is said, be it there or not") {
    Random random{1};
    const auto snapshot = served();
    const NameOrder order(*snapshot->fixed);
    const auto first_behind = [&](const char* top, const char* after) {
        const auto page = list_names(*snapshot, order, *Name::parse(top), Name::parse(after), 1, {}, random);
        return page.names.empty() ? std::string() : page.names[0].name.to_string();
    };
    CHECK(first_behind("example.com", "com") == "example.com"); // what lies before the top begins with it
    CHECK(first_behind("example.com", "example.com") == "er.example.com");
    CHECK(first_behind("example.com", "nothing.example.com") == "ns1.example.com");
    CHECK(first_behind("deep.er.example.com", "deep.er.example.com") == "z.deep.er.example.com");
    CHECK(first_behind("deep.er.example.com", "z.deep.er.example.com").empty());
    CHECK(first_behind("example.com", "example.org").empty());
}
