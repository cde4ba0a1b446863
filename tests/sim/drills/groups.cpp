// Services that move together: in one step, or not at all.
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
