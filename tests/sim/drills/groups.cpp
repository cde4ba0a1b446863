// Services that move together: in one step, or not at all.
#include "policies/what_if.hpp"
#include "tests/sim/drill.hpp"

#include <algorithm>

using namespace fairway::sim;
using namespace fairway::policies;
using namespace std::chrono_literals;

namespace {

/// `shop` has the addresses 10.N.0.1, `cart` 10.N.0.2, in so many datacenters.
std::string shop_and_cart(int count, const std::string& shop, const std::string& cart,
                          const std::string& top = "") {
    const char* names[] = {"east", "west", "eu"};
    std::string a, b;
    for (int i = 0; i < count; ++i) {
        const std::string site = "10." + std::to_string(i + 1) + ".0.";
        a += std::string(names[i]) + ": {addresses: [" + site + "1]}\n";
        b += "      " + std::string(names[i]) + ": {addresses: [" + site + "2]}\n";
    }
    std::string keys;
    for (char c : cart)
        keys += keys.empty() || keys.back() == '\n' ? std::string("    ") + c : std::string(1, c);
    return sites_with(count, {"shop", shop}, a, top) + "  cart.gtm.example.com:\n" + keys +
           "    endpoints:\n" + b +
           "groups: {checkout: {services: [shop.gtm.example.com, cart.gtm.example.com], together: true}}\n";
}

/// Both were answered by one datacenter at every moment.
bool always_together(const Story& s, Moment from) {
    const auto &one = s.history("shop").all(), &other = s.history("cart").all();
    std::vector<Moment> at{from};
    for (auto* list : {&one, &other})
        for (const Answer& a : *list)
            if (a.at >= from) at.push_back(a.at);
    const auto text_at = [](const std::vector<Answer>& list, Moment when) {
        std::string text;
        for (const Answer& a : list)
            if (a.at <= when) text = a.text;
        return text;
    };
    return std::ranges::all_of(at, [&](Moment when) { return text_at(one, when) == text_at(other, when); });
}

const std::string by_priority = ordered("east, west, eu") + "failback: auto\n";
const std::string two_by_priority = ordered("east, west") + "failback: auto\n";
constexpr const char* cart_in_east = "10.1.0.2:8080";
constexpr const char* cart_in_west = "10.2.0.2:8080";
constexpr const char* shop_in_west = "10.2.0.1:8080";
constexpr const char* shop_in_east = "10.1.0.1:8080";

} // namespace

TEST_CASE("groups: one of two fails where both are: both move, at the same moment") {
    // given: two services by priority that move together
    Drill s{shop_and_cart(3, by_priority, by_priority)};
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    REQUIRE(s.answers("cart") == "east");
    // when: cart alone fails in east
    auto fault = s.target(cart_in_east, saying::refused());
    s.runs(10s);
    // then: shop, which is well there, goes with it
    CHECK(s.answers("cart") == "west");
    CHECK(s.answers("shop") == "west");
    CHECK(always_together(s, fault));
    CHECK(s.first("shop", "west", fault) == s.first("cart", "west", fault));
    CHECK(s.endpoint("shop", "east").reason.find("cart.gtm.example.com, which moves with it") !=
          std::string::npos);
    CHECK(s.report("shop").group == "checkout");

    SUBCASE("and both return, once both are well again") {
        auto back = s.target_works(cart_in_east);
        s.runs(5min);
        CHECK(s.answers("shop") == "east");
        CHECK(s.answers("cart") == "east");
        CHECK(always_together(s, back));
    }
    SUBCASE("a restart keeps them together") {
        auto gone = s.now();
        s.restart(5s);
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
        CHECK(always_together(s, gone + 30s));
        CHECK_FALSE(s.named("shop", "east", gone));
    }
    SUBCASE("west fails for shop: both go to the third") {
        auto second = s.target(shop_in_west, saying::refused());
        s.runs(10s);
        CHECK(s.answers("shop") == "eu");
        CHECK(s.answers("cart") == "eu");
        CHECK(always_together(s, second));
    }
}

TEST_CASE("groups, L10: nowhere are both fit: nobody moves, and somebody is told") {
    // given: two datacenters; shop is down in west
    Drill s{shop_and_cart(2, ordered("east, west"), ordered("east, west"))};
    s.runs(1min);
    s.target(shop_in_west, saying::refused());
    s.runs(1min);
    // when: cart fails in east, where both are
    auto fault = s.target(cart_in_east, saying::refused());
    s.runs(1min);
    // then: held, with an alarm, though cart alone could move
    CHECK(s.answers("shop") == "east");
    CHECK(s.answers("cart") == "east");
    CHECK(s.moves("cart", fault) == 0);
    CHECK(s.alarm("group_held"));
    CHECK(s.count(Change::group_held, fault) == 1);

    SUBCASE("west is well for shop again: both move") {
        auto mended = s.target_works(shop_in_west);
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
        CHECK(s.answers("cart") == "west");
        CHECK(always_together(s, mended));
        CHECK_FALSE(s.alarm("group_held"));
        CHECK(s.count(Change::group_free, mended) == 1);
    }
    SUBCASE("cart is well in east again: nothing was to be done") {
        s.target_works(cart_in_east);
        s.runs(1min);
        CHECK_FALSE(s.alarm("group_held"));
        CHECK(s.moves("shop", fault) == 0);
    }
}

TEST_CASE("groups: who is fit nowhere binds nobody, leader or not") {
    Drill s{shop_and_cart(2, ordered("east, west"), ordered("east, west"))};
    s.runs(1min);
    std::string failing = cart_in_east;
    SUBCASE("the leader is well") {
        s.target(cart_in_east, saying::refused());
        s.target(cart_in_west, saying::refused());
        failing = shop_in_east;
    }
    SUBCASE("the leader is down everywhere") {
        s.target(shop_in_east, saying::refused());
        s.target(shop_in_west, saying::refused());
    }
    s.runs(1min);
    // when: the other's site fails, too
    auto fault = s.target(failing, saying::refused());
    s.runs(10s);
    // then: it moves all the same, and the one that is down with it
    CHECK(s.answers("shop") == "west");
    CHECK(s.answers("cart") == "west");
    CHECK_FALSE(s.named("shop", "east", fault + 5s));
    CHECK_FALSE(s.alarm("group_held"));
}

TEST_CASE("groups, L8: who is fit nowhere goes along all the same, and `last_good` is where they are") {
    Drill s{shop_and_cart(3, by_priority, by_priority + "on_all_down: last_good\n")};
    s.runs(1min);
    for (const auto* cart : {cart_in_east, cart_in_west, "10.3.0.2:8080"}) s.target(cart, saying::refused());
    s.runs(2min);
    REQUIRE(s.answers("cart") == "east");
    const auto fault = s.target(shop_in_east, saying::refused());
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
    CHECK(s.answers("cart") == "west");
    CHECK(always_together(s, fault));
}

TEST_CASE("groups, P14: a drill moves a group in one step and brings it back in one") {
    Drill s{shop_and_cart(2, two_by_priority, two_by_priority)};
    s.runs(1min);
    const auto begin = s.now();
    REQUIRE(s.loses("east", 5min).accepted);
    s.runs(1min);
    CHECK(s.answers("shop") == "west");
    CHECK(s.answers("cart") == "west");
    s.runs(10min);
    CHECK(s.answers("shop") == "east");
    CHECK(s.answers("cart") == "east");
    CHECK(always_together(s, begin));
}

TEST_CASE("groups, P14: a group that could not bear the loss keeps it from being played") {
    Drill s{shop_and_cart(2, two_by_priority, two_by_priority)};
    s.runs(1min);
    s.target(cart_in_west, saying::refused());
    s.runs(1min);
    const auto refused = s.loses("east", 5min);
    CHECK_FALSE(refused.accepted);
    CHECK(s.answers("shop") == "east");
}

TEST_CASE("groups, P8: what-if moves a group as the loss would: together, or not at all") {
    Drill s{shop_and_cart(3, by_priority, by_priority)};
    s.runs(1min);
    s.target(cart_in_west, saying::refused()); // west is no place for the group
    s.runs(1min);
    const auto foretold = what_if(s.engine(), {.lose = {"east"}}, s.clock());
    REQUIRE(foretold.services.size() == 2);
    for (const auto& line : foretold.services) {
        CHECK(line.fate == WhatIf::Fate::moves);
        CHECK(line.after == WhatIf::Shares{{"eu", 1.0}});
    }
    // and so it comes
    s.kill("east");
    s.runs(30s);
    CHECK(s.answers("shop") == "eu");
    CHECK(s.answers("cart") == "eu");
}

TEST_CASE(
    "groups, P15: a site that has too much to do sheds of the one that asks for it, and stays the group's") {
    const std::string spread = "policy: weighted\napplication: web\n";
    auto yaml = shop_and_cart(3, spread + "load: {from: lb, shed_above: 80%}\n", spread);
    yaml.replace(yaml.find("checks:\n"), 8,
                 "checks:\n  lb: {type: prometheus, url: \"http://p:9090\", query: \"sum by (dc) (r)\"}\n");
    for (const char* site : {"east: {", "west: {", "eu: {"})
        yaml.replace(yaml.find(site), std::string_view(site).size(), std::string(site) + "capacity: 1000, ");
    Drill s{yaml};
    const auto bears = [&](const char* site, double load) {
        s.world().target(site).says = Sight{.facts = {.load = load}};
    };
    s.runs(5s);
    bears("east", 950), bears("west", 300), bears("eu", 300);
    s.runs(2min);
    CHECK(s.endpoint("shop", "east").share < 0.3);
    CHECK(s.endpoint("cart", "east").share == doctest::Approx(1 / 3.0).epsilon(0.01));
    CHECK_FALSE(s.alarm("group_held"));
    // when cart fails in west, both leave it, and what shop sheds of east goes to the only one left
    s.target(cart_in_west, saying::refused());
    s.runs(30s);
    CHECK(s.answers("shop") == "east+eu");
    CHECK(s.answers("cart") == "east+eu");
    CHECK(s.endpoint("shop", "east").share < s.endpoint("shop", "eu").share);
    // and where nothing else is left of the group, its load keeps nobody from being answered
    s.target("10.3.0.2:8080", saying::refused());
    s.runs(90s);
    CHECK(s.answers("shop") == "east");
    CHECK(s.answers("cart") == "east");
}

TEST_CASE("groups: an operator's word on one is a word on all") {
    Drill s{shop_and_cart(2, ordered("east, west") + "failback: manual\n",
                          ordered("east, west") + "failback: manual\n")};
    s.runs(1min);
    SUBCASE("switch") {
        CHECK(s.move("cart", "west").accepted);
        s.runs(30s);
        CHECK(s.answers("shop") == "west");
        CHECK(s.answers("cart") == "west");
        CHECK(s.failback("cart").accepted);
        s.runs(30s);
        CHECK(s.answers("shop") == "east");
        CHECK(always_together(s, 1min));
    }
    SUBCASE("failover") {
        CHECK(s.failover("cart", "west").accepted);
        s.runs(10s);
        CHECK(s.answers("shop") == "west");
        CHECK(always_together(s, 1min));
    }
    SUBCASE("drain") {
        CHECK(s.drain("cart", "east").accepted);
        s.runs(2s);
        CHECK(s.answers("shop") == "west");
        CHECK(always_together(s, 1min));
        CHECK_FALSE(s.drain("shop", "west").accepted); // the last of both
    }
    SUBCASE("freeze") {
        CHECK(s.sets(Override::Kind::freeze, "cart", "").accepted);
        auto fault = s.target(shop_in_east, saying::refused());
        s.runs(1min);
        CHECK(s.moves("shop", fault) == 0);
        CHECK(s.moves("cart", fault) == 0);
    }
    SUBCASE("not to where one of them is unfit") {
        s.target(shop_in_west, saying::refused());
        s.runs(10s);
        auto result = s.move("cart", "west");
        CHECK_FALSE(result.accepted);
        CHECK(result.message.find("west cannot take over") != std::string::npos);
        CHECK_FALSE(s.drain("cart", "east").accepted); // no datacenter would be left where both are fit
    }
}

TEST_CASE("groups, L14: the primary's role moves all, before anything is fit or not") {
    Drill s{shop_and_cart(2, automatic, ordered("east, west"))};
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    REQUIRE(s.answers("cart") == "east");
    SUBCASE("the site dies: fenced, promoted, and cart goes along") {
        auto death = s.kill("east");
        s.runs(2min);
        CHECK(s.answers("shop") == "west");
        CHECK(s.answers("cart") == "west");
        CHECK(always_together(s, death));
        CHECK(s.runbook().runs().size() == 2);
        s.revive("east"); // and nothing fails back: the role is in west
        s.runs(10min);
        CHECK(s.answers("cart") == "west");
        CHECK(always_together(s, death));
    }
    SUBCASE("cart fails where the primary is: the runbook moves it") {
        auto fault = s.target(cart_in_east, saying::refused());
        s.runs(1min);
        CHECK(s.answers("shop") == "west");
        CHECK(s.answers("cart") == "west");
        CHECK(always_together(s, fault));
    }
    SUBCASE("nothing is promoted where cart is not fit, while it is fit where the primary is") {
        s.target(cart_in_west, saying::refused());
        s.runs(1min);
        s.target(shop_in_east, saying::refused());
        s.runs(3min);
        CHECK(s.runbook().runs().empty());
        CHECK(s.answers("shop") == "east");
        CHECK(s.answers("cart") == "east");
        s.kill("east"); // now cart is fit nowhere, and holds nobody
        s.runs(2min);
        CHECK(s.answers("shop") == "west");
        CHECK(always_together(s, 1min));
    }
}

TEST_CASE("groups: services that spread leave a datacenter in one step") {
    Drill s{shop_and_cart(3, weighted, "policy: latency\napplication: web\n")};
    s.runs(1min);
    REQUIRE(s.named("shop", "east", 50s));
    auto fault = s.target(cart_in_east, saying::refused());
    s.runs(10s);
    CHECK_FALSE(s.named("shop", "east", fault + 5s));
    CHECK_FALSE(s.named("cart", "east", fault + 5s));
    auto back = s.target_works(cart_in_east);
    s.runs(5min);
    CHECK(s.named("shop", "east", back + 4min));
}

TEST_CASE("groups, L9: where the brake keeps one of them, those that are fit stay with it") {
    // given: shop is fit in east and west alone
    const std::string nothing = "policy: weighted\napplication: web\non_all_down: nodata\n";
    Drill s{shop_and_cart(3, nothing, nothing)};
    s.runs(1min);
    s.target("10.3.0.1:8080", saying::refused());
    s.runs(2min);
    REQUIRE(s.answers("shop") == "east+west");
    // when cart fails in both at once: one goes, the other is kept
    s.target(cart_in_east, saying::refused());
    auto fault = s.target(cart_in_west, saying::refused());
    s.runs(20s);
    REQUIRE(s.count(Change::endpoint_braked) == 1);
    // then shop stays with it, through a restart as well
    CHECK_FALSE(s.said("shop", "NODATA", fault));
    const auto kept = s.answers("shop");
    CHECK((kept == "east" || kept == "west"));
    s.restart();
    s.runs(5s);
    CHECK_FALSE(s.said("shop", "NODATA", fault));
}

TEST_CASE(
    "groups, L19: what an operator took out is not answered while the others are not decided elsewhere") {
    Drill s{shop_and_cart(2, ordered("east, west"), ordered("east, west"))};
    s.runs(1min);
    REQUIRE(s.answers("shop") == "east");
    s.application("west", saying::refused());
    s.runs(1min);
    REQUIRE(s.drain("shop", "east", true).accepted); // nothing else is fit: it has to be forced
    s.runs(5s);
    // when: we are away for long, and west is back for the leader alone
    s.kill_daemon();
    s.runs(10min);
    s.target_works(shop_in_west);
    s.target(cart_in_west, saying::nothing()); // says nothing yet
    s.start();
    auto started = s.now();
    s.runs(1min);
    CHECK_FALSE(s.named("shop", "east", started));
    CHECK(s.answers("shop") == "west");
}

TEST_CASE("L19: unfreeze of one names the freeze of the other that holds both") {
    Drill s{shop_and_cart(2, two_by_priority, two_by_priority)};
    s.runs(1min);
    REQUIRE(s.sets(Override::Kind::freeze, "shop", "").accepted);
    const auto result = s.ends(Override::Kind::freeze, "cart");
    CHECK_FALSE(result.accepted);
    CHECK(result.message.find("fairwayctl unfreeze --service shop.gtm.example.com") != std::string::npos);
}
