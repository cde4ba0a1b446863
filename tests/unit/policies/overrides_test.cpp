// L19: whom an override rules, and until when.
#include "policies/overrides.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

const std::vector<std::string> payments{"payments"};

bool covered(const Scope& scope, std::string_view service, std::string_view datacenter) {
    return covers(scope,
                  {service, datacenter, service == "shop.test" ? payments : std::span<const std::string>()});
}

std::string ruled(std::span<const Override> list, std::string_view service, std::string_view datacenter,
                  WallTime now = dawn_wall) {
    const Override* o = ruling(list, {service, datacenter, payments}, now);
    return o ? o->id : "-";
}

}

TEST_CASE("a scope covers what it names, and what it leaves open it covers wholly") {
    struct Row {
        Scope scope;
        bool shop_east, shop_west, www_east;
        const char* text;
    };
    for (const Row& r :
         {Row{{"shop.test", "east"}, true, false, false, "shop.test in east"},
          Row{{"shop.test", ""}, true, true, false, "shop.test"},
          Row{{"", "east"}, true, false, true, "datacenter east"},
          Row{{"", ""}, true, true, true, "everything"},
          Row{{"", "", "payments"}, true, true, false, "services tagged payments"},
          Row{{"", "east", "payments"}, true, false, false, "services tagged payments in east"}}) {
        CHECK(covered(r.scope, "shop.test", "east") == r.shop_east);
        CHECK(covered(r.scope, "shop.test", "west") == r.shop_west);
        CHECK(covered(r.scope, "www.test", "east") == r.www_east);
        CHECK(r.scope.to_string() == r.text);
    }
}

TEST_CASE("L19: of several of a kind the narrowest rules: endpoint, service, datacenter, tag") {
    auto until = dawn_wall + 1h;
    std::vector<Override> list{{.id = "tag", .scope = {"", "", "payments"}, .expires = until},
                               {.id = "dc", .scope = {"", "east"}, .expires = until},
                               {.id = "endpoint", .scope = {"shop.test", "east"}, .expires = until},
                               {.id = "service", .scope = {"shop.test", ""}, .expires = until}};
    CHECK(ruled(list, "shop.test", "east") == "endpoint");
    CHECK(ruled(list, "shop.test", "west") == "service");
    CHECK(ruled(list, "www.test", "east") == "dc");
    CHECK(ruled(list, "www.test", "west") == "tag");
    list.erase(list.begin());
    CHECK(ruled(list, "www.test", "west") == "-");
}

TEST_CASE("L19: the kind decides first, and a freeze rules no endpoint") {
    using enum Override::Kind;
    auto until = dawn_wall + 1h;
    for (auto strong : {force_down, maintenance, drain, force_up})
        for (auto weak : {force_down, maintenance, drain, force_up}) {
            if (weak <= strong) continue;
            std::vector<Override> list{
                {.id = "weak", .kind = weak, .scope = {"shop.test", "east"}, .expires = until},
                {.id = "strong", .kind = strong, .scope = {"", "east"}, .expires = until},
                {.id = "freeze", .kind = freeze, .scope = {}, .expires = until}};
            CHECK(ruled(list, "shop.test", "east") == "strong");
            CHECK(excludes(&list[1]) == (strong != force_up));
        }
    std::vector<Override> list{
        {.id = "freeze", .kind = freeze, .scope = {"shop.test", ""}, .expires = until}};
    CHECK(ruled(list, "shop.test", "east") == "-");
    CHECK(freezing(list, {"shop.test", "", {}}, dawn_wall));
    CHECK_FALSE(freezing(list, {"www.test", "", {}}, dawn_wall));
    CHECK_FALSE(freezing(list, {"shop.test", "", {}}, until));
}

TEST_CASE("an override ends at its expiry") {
    std::vector<Override> list{{.id = "o", .scope = {"", "east"}, .expires = dawn_wall + 1h}};
    CHECK(ruled(list, "shop.test", "east", dawn_wall + 1h - 1ms) == "o");
    CHECK(ruled(list, "shop.test", "east", dawn_wall + 1h) == "-");
}
