// check-delegation: what is wrong between a parent zone and the name servers it names.
#include "daemon/ctl/delegation.hpp"

#include <doctest/doctest.h>

#include <functional>

using namespace fairway::ctl;

namespace {

struct World {
    Delegation parent{.zone = "gtm.example.com.",
                      .servers = {"ns1.gtm.example.com.", "ns2.example.net."},
                      .ttl = 3600,
                      .glue = {{"ns1.gtm.example.com.", {"192.0.2.53"}}}};
    std::vector<ServerView> views{view("ns1.gtm.example.com.", "192.0.2.53"),
                                  view("ns2.example.net.", "198.51.100.53")};

    static ServerView view(const std::string& server, const std::string& address) {
        return {.server = server,
                .address = address,
                .udp = true,
                .tcp = true,
                .rcode = "NOERROR",
                .authoritative = true,
                .edns = true,
                .serial = 1,
                .servers = {"ns1.gtm.example.com.", "ns2.example.net."},
                .ttl = 3600,
                .own = {{"ns1.gtm.example.com.", {"192.0.2.53"}}}};
    }
};

struct Row {
    const char* says; ///< of its one fault
    bool bad;
    std::function<void(World&)> spoil;
};

} // namespace

TEST_CASE("a delegation in order has no faults") {
    World w;
    CHECK(faults(w.parent, w.views).empty());
}

TEST_CASE("each fault is found, alone, and says where it is") {
    const std::vector<Row> rows{
        {"has a DS record", true, [](World& w) { w.parent.signs = true; }},
        {"has no glue", true,
         [](World& w) {
             w.parent.glue.clear();
             for (auto& v : w.views) v.own.clear();
         }},
        {"no answer over UDP", true,
         [](World& w) { w.views[1] = {.server = "ns2.example.net.", .address = "198.51.100.53"}; }},
        {"not authoritative for gtm.example.com. (REFUSED)", true,
         [](World& w) {
             w.views[1].rcode = "REFUSED";
             w.views[1].authoritative = false;
         }},
        {"no answer over TCP", true, [](World& w) { w.views[1].tcp = false; }},
        {"without EDNS", false, [](World& w) { w.views[1].edns = false; }},
        {"offers recursion", false, [](World& w) { w.views[1].recursive = true; }},
        {"its NS records are ns1.gtm.example.com., the parent's", true,
         [](World& w) { w.views[1].servers = {"ns1.gtm.example.com."}; }},
        {"TTL of 60 s, the parent's 3600 s", false, [](World& w) { w.views[1].ttl = 60; }},
        {"at 192.0.2.54 by its own word, at 192.0.2.53 by the parent's glue", true,
         [](World& w) { w.views[0].own["ns1.gtm.example.com."] = {"192.0.2.54"}; }},
        {"serials differ (1, 2)", false, [](World& w) { w.views[1].serial = 2; }},
    };
    for (const Row& row : rows) {
        World w;
        row.spoil(w);
        const auto found = faults(w.parent, w.views);
        INFO(row.says);
        REQUIRE(found.size() == 1);
        CHECK(found[0].what.find(row.says) != std::string::npos);
        CHECK(found[0].bad == row.bad);
        CHECK_FALSE(found[0].where.empty());
    }
}

TEST_CASE("a zone that is not delegated at all is told as that alone") {
    World w;
    w.parent.servers.clear();
    const auto found = faults(w.parent, {});
    REQUIRE(found.size() == 1);
    CHECK(found[0].what.starts_with("it does not delegate gtm.example.com."));
}
