// L19: whom an override excludes, and until when.
#include "policies/overrides.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

TEST_CASE("a scope covers what it names, and what it leaves open it covers wholly") {
    struct Row {
        Scope scope;
        bool shop_east, shop_west, www_east;
        const char* text;
    };
    for (const Row& r : {Row{{"shop.test", "east"}, true, false, false, "shop.test in east"},
                         Row{{"shop.test", ""}, true, true, false, "shop.test"},
                         Row{{"", "east"}, true, false, true, "datacenter east"},
                         Row{{"", ""}, true, true, true, "everything"}}) {
        CHECK(covers(r.scope, "shop.test", "east") == r.shop_east);
        CHECK(covers(r.scope, "shop.test", "west") == r.shop_west);
        CHECK(covers(r.scope, "www.test", "east") == r.www_east);
        CHECK(r.scope.to_string() == r.text);
    }
}

TEST_CASE("L19: of several overrides the narrowest is named: endpoint, then service, then datacenter") {
    auto until = dawn_wall + 1h;
    std::vector<Override> list{{.id = "dc", .scope = {"", "east"}, .expires = until},
                               {.id = "endpoint", .scope = {"shop.test", "east"}, .expires = until},
                               {.id = "service", .scope = {"shop.test", ""}, .expires = until}};
    CHECK(excluding(list, "shop.test", "east", dawn_wall)->id == "endpoint");
    CHECK(excluding(list, "shop.test", "west", dawn_wall)->id == "service");
    CHECK(excluding(list, "www.test", "east", dawn_wall)->id == "dc");
    CHECK(excluding(list, "www.test", "west", dawn_wall) == nullptr);
}

TEST_CASE("an override ends at its expiry") {
    std::vector<Override> list{{.scope = {"", "east"}, .expires = dawn_wall + 1h}};
    CHECK(excluding(list, "shop.test", "east", dawn_wall + 1h - 1ms) != nullptr);
    CHECK(excluding(list, "shop.test", "east", dawn_wall + 1h) == nullptr);
}
