#include "tests/sim/drill.hpp"

using namespace fairway::sim;
using namespace std::chrono_literals;
using Kind = fairway::policies::Override::Kind;

namespace {

std::string why(const Drill& s, const std::string& service) { return s.report(service).reason; }
std::string told(const Drill& s) { return s.all(Change::plan_changed).back().what.transition.reason; }

} // namespace

TEST_CASE("O1: a followed site that is no longer excluded is answered because it holds the primary") {
    Drill s{sites(2, {{"shop", follow}})};
    s.runs(1min);
    const std::string before = why(s, "shop");
    CHECK(before == "east holds the primary (epoch 1)");
    REQUIRE(s.drain("shop", "east", true).accepted);
    s.runs(5s);
    REQUIRE(s.answers("shop") == "SERVFAIL");
    CHECK(why(s, "shop").find("excluded by an operator") != std::string::npos);
    REQUIRE(s.undrain("shop", "east").accepted);
    s.runs(5s);
    REQUIRE(s.answers("shop") == "east");
    CHECK(told(s) == before);
    CHECK(why(s, "shop") == before);
    CHECK(s.all(Change::all_down_over).back().what.transition.reason == before);
}

TEST_CASE("O1, L13: who follows an accepted claim says so, with its epoch") {
    Drill s{sites(2, {{"shop", follow}})};
    s.runs(1min);
    s.kill("east");
    s.runs(20s);
    s.database("west").promote();
    s.runs(10s);
    s.revive("east");
    s.kill("west");
    s.runs(1min);
    REQUIRE(s.answers("shop") == "west");
    REQUIRE(s.failover("shop", "east", true).accepted);
    s.runs(5s);
    REQUIRE(s.answers("shop") == "east");
    CHECK(told(s) == "east holds the primary (epoch 1)");
    CHECK(why(s, "shop") == "east holds the primary (epoch 1)");
}

TEST_CASE("O1: where nothing is fit and the answer stays, the reason does not") {
    Drill s{sites(2, {{"batch", ordered("east, west")}})};
    s.runs(1min);
    REQUIRE(s.drain("batch", "east").accepted);
    s.runs(10s);
    REQUIRE(s.answers("batch") == "west");
    REQUIRE(s.undrain("batch", "east").accepted);
    s.application("east", saying::refused());
    s.runs(4min);
    s.application("west", saying::refused());
    s.runs(1min);
    REQUIRE(s.report("batch").state.starts_with("all down"));
    CHECK(why(s, "batch").starts_with("nothing is fit, on_all_down is as_if_all_up: west is not fit"));
    s.application_works("west");
    s.runs(1min);
    CHECK(why(s, "batch") == "west is fit");
}

TEST_CASE("O1, L20: after a restart the reason is still about the site that answers") {
    Drill s{sites(3, {{"batch", ordered("east, west, eu")}})};
    s.runs(1min);
    s.restart(2s);
    s.runs(10s);
    REQUIRE(s.answers("batch") == "east");
    CHECK(why(s, "batch").find("east is fit") != std::string::npos);
    REQUIRE(s.sets(Kind::freeze, "", "").accepted);
    s.runs(5s);
    s.restart(2s);
    s.runs(10s);
    CHECK(why(s, "batch").find("east is fit") != std::string::npos);
}
