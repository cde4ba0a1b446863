#include "policies/what_if.hpp"
#include "tests/sim/drill.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

using namespace fairway::sim;
using namespace std::chrono_literals;
using fairway::Duration;
namespace policies = fairway::policies;

namespace {

const std::string feed =
    "checks:\n  lb: {type: prometheus, url: \"http://p:9090\", query: \"sum by (dc) (rate(r[1m]))\"}\n";

/// The configuration, with the feed among its checks.
std::string fed_by(std::string yaml) { return yaml.replace(yaml.find("checks:\n"), 8, feed); }

const std::string loaded = weighted + "load: {from: lb, shed_above: 80%, max_share: 60%}\n";

/// Clients of one service, and a feed that tells what they bring to each site only after a while.
class Clients {
  public:
    Clients(Drill& s, std::string service, double wanted, Duration delay = 30s)
        : demand(wanted), s_(s), service_(std::move(service)), delay_(delay) {}

    double demand; ///< in the unit of the capacities
    bool fed = true;

    /// Time passes, second by second.
    void live(Duration d) {
        for (auto end = s_.now() + d; s_.now() < end; s_.runs(1s)) {
            std::map<std::string, double> now;
            for (const auto& e : s_.report(service_).endpoints) now[e.datacenter] = demand * e.share;
            past_.push_back(now);
            for (const auto& [site, load] : now) shares.push_back({site, load / demand});
            if (fed) tell();
        }
    }
    double share(const std::string& site) const { return s_.endpoint(service_, site).share; }
    std::vector<std::pair<std::string, double>> shares;

  private:
    void tell() {
        const auto late = static_cast<std::size_t>(delay_ / 1s);
        const auto& then = past_[past_.size() > late ? past_.size() - 1 - late : 0];
        for (const auto& [site, load] : then) s_.world().target(site).says = Sight{.facts = {.load = load}};
    }
    Drill& s_;
    std::string service_;
    Duration delay_;
    std::deque<std::map<std::string, double>> past_;
};

std::string three(const std::string& keys, const std::string& capacity = "1000") {
    return fed_by(sites_with(3, {"www", keys},
                             "east: {addresses: [10.1.0.1], capacity: " + capacity +
                                 "}\nwest: {addresses: [10.2.0.1], capacity: 1000}\neu: {addresses: "
                                 "[10.3.0.1], capacity: 1000}\n"));
}

} // namespace

TEST_CASE(
    "P15: the smallest of three sites sheds what is too much for it, by a feed 30 s late, and then rests") {
    Drill s{three(loaded, "400")};
    s.runs(5s);
    Clients c(s, "www", 1500);
    c.live(5min);
    CHECK(c.share("east") * 1500 <= 0.81 * 400);
    CHECK(c.share("east") * 1500 >= 0.65 * 400);
    CHECK(c.share("west") == doctest::Approx(c.share("eu")).epsilon(0.01));
    const auto acts = s.count(Change::load_shed);
    CHECK(acts >= 1);
    CHECK(acts <= 4);
    c.live(20min); // nothing swings
    CHECK(s.count(Change::load_shed) == acts);
    CHECK(s.alarm("shedding"));
    CHECK_FALSE(s.alarm("overloaded"));
}

TEST_CASE("P15: after 5 lags the shares are within 5 points of where they end") {
    Drill s{three(loaded, "400")};
    s.runs(5s);
    Clients c(s, "www", 2000);
    c.live(150s + 5s);
    const double then = c.share("east");
    c.live(20min);
    CHECK(std::abs(c.share("east") - then) < 0.05);
}

TEST_CASE("capacity collapse after a loss: what is left bears it together, and somebody is told") {
    Drill s{three(loaded)};
    s.runs(5s);
    Clients c(s, "www", 2400);
    c.live(2min);
    REQUIRE(s.count(Change::load_shed) == 0);
    s.kill("east");
    c.live(5min);
    CHECK(s.answers("www") == "eu+west");
    CHECK(s.alarm("overloaded"));
    CHECK(c.share("west") == doctest::Approx(0.5).epsilon(0.05));
    s.revive("east");
    c.live(10min);
    CHECK(s.answers("www") == "east+eu+west");
    CHECK_FALSE(s.alarm("overloaded"));
    CHECK(c.share("east") == doctest::Approx(1 / 3.0).epsilon(0.05));
}

TEST_CASE("no survivor takes more than max_share while another is left") {
    Drill s{
        fed_by(sites_with(3, {"www", loaded},
                          "east: {addresses: [10.1.0.1], weight: 50}\nwest: {addresses: [10.2.0.1], weight: "
                          "45}\neu: {addresses: [10.3.0.1], weight: 5}\n"))};
    s.runs(1min);
    s.kill("east");
    s.runs(30s);
    CHECK(s.endpoint("www", "west").share == doctest::Approx(0.6).epsilon(0.01));
    CHECK(s.endpoint("www", "eu").share == doctest::Approx(0.4).epsilon(0.01));
    s.kill("eu");
    s.runs(2min);
    CHECK(s.answers("www") == "west"); // the last one bears it all (L10)
    CHECK(s.endpoint("www", "west").share == doctest::Approx(1));
}

TEST_CASE("an ordered policy spills a part to the next") {
    Drill s{fed_by(sites_with(2, {"www", ordered("east, west") + "load: {from: lb, shed_above: 80%}\n"},
                              "east: {addresses: [10.1.0.1], capacity: 1000}\nwest: {addresses: [10.2.0.1], "
                              "capacity: 1000}\n"))};
    s.runs(5s);
    Clients c(s, "www", 1200);
    REQUIRE(s.answers("www") == "east");
    c.live(5min);
    CHECK(s.answers("www") == "east+west");
    CHECK(c.share("east") * 1200 <= 810);
    CHECK(c.share("east") * 1200 >= 650);
    c.demand = 300;
    c.live(10min);
    CHECK(s.answers("www") == "east");
}

TEST_CASE("stale load changes nothing, and is an alarm; a short restart forgets no share") {
    Drill s{three(loaded, "400")};
    s.runs(5s);
    Clients c(s, "www", 1500);
    c.live(5min);
    const double held = c.share("east");
    REQUIRE(held < 0.3);
    s.restart(10s);
    c.live(20s);
    CHECK(c.share("east") == doctest::Approx(held));
    for (const char* site : {"east", "west", "eu"})
        s.world().target(site).says =
            Sight{.outcome = fairway::Outcome::unknown, .reason = fairway::Reason::no_data};
    c.fed = false;
    c.demand = 100;
    c.live(10min);
    CHECK(c.share("east") == doctest::Approx(held));
    CHECK(s.alarm("load_unknown"));
    c.fed = true;
    c.live(15min);
    CHECK(c.share("east") == doctest::Approx(1 / 3.0).epsilon(0.01));
    CHECK_FALSE(s.alarm("load_unknown"));
}

namespace {

/// `a` in east and west, `b` in east and eu, each with a feed of its own or both with one.
std::string two_services(bool own_feeds) {
    auto yaml = fed_by(sites_with(3, {"a", weighted + "load: {from: lb}\n"},
                                  "east: {addresses: [10.1.0.1]}\nwest: {addresses: [10.2.0.1]}\n"));
    for (const char* site : {"east: {region", "west: {region", "eu: {region"})
        yaml.replace(
            yaml.find(site), std::string_view(site).size(),
            std::string(site).replace(std::string(site).find("region"), 6, "capacity: 1000, region"));
    yaml.replace(yaml.find("checks:\n"), 8,
                 "checks:\n  lb2: {type: prometheus, url: \"http://p:9090\", query: \"sum by (dc) (b)\"}\n");
    return yaml + "  b.gtm.example.com:\n    policy: weighted\n    application: web\n    load: {from: " +
           (own_feeds ? "lb2" : "lb") +
           "}\n    endpoints: {east: {addresses: [10.1.0.2]}, eu: {addresses: [10.3.0.2]}}\n";
}

double after(const policies::WhatIf& w, const std::string& site) {
    return std::ranges::find(w.sites, site, &policies::WhatIf::Site::name)->load_after.value_or(-1);
}

} // namespace

TEST_CASE("P8: what-if moves each service with its own load where each has a report, else by its share") {
    const bool own_feeds = true;
    Drill s{two_services(own_feeds)};
    s.runs(5s);
    // the simulated feeds of one site are one target: both say the same of it
    s.world().target("east").says = Sight{.facts = {.load = 600}};
    s.world().target("west").says = Sight{.facts = {.load = 100}};
    s.world().target("eu").says = Sight{.facts = {.load = 100}};
    s.runs(30s);
    const auto w = policies::what_if(s.engine(), {.lose = {"east"}}, s.clock());
    CHECK(after(w, "east") == doctest::Approx(0).epsilon(0.001));
    CHECK(after(w, "west") == doctest::Approx(700));
    CHECK(after(w, "eu") == doctest::Approx(700));

    Drill one{two_services(false)};
    one.runs(5s);
    one.world().target("east").says = Sight{.facts = {.load = 600}};
    one.world().target("west").says = Sight{.facts = {.load = 100}};
    one.world().target("eu").says = Sight{.facts = {.load = 100}};
    one.runs(30s);
    const auto shared = policies::what_if(one.engine(), {.lose = {"east"}}, one.clock());
    CHECK(after(shared, "west") == doctest::Approx(400));
    CHECK(after(shared, "eu") == doctest::Approx(400));
}

TEST_CASE(
    "L12: who is asked to approve is told what the target would bear, by what the lost site said last") {
    auto yaml = fed_by(sites(2, {{"shop", by_approval + "load: {from: lb}\n"}}));
    for (const char* site : {"east: {region", "west: {region"})
        yaml.replace(
            yaml.find(site), std::string_view(site).size(),
            std::string(site).replace(std::string(site).find("region"), 6, "capacity: 1000, region"));
    Drill s{yaml};
    s.runs(5s);
    s.world().target("east").says = Sight{.facts = {.load = 900}};
    s.world().target("west").says = Sight{.facts = {.load = 150}};
    s.runs(1min);
    s.kill("east");
    s.runs(2min);
    const auto id = s.waiting_switch("shop");
    REQUIRE_FALSE(id.empty());
    const auto told = s.engine().at_stake(id, s.clock());
    REQUIRE_FALSE(told.empty());
    CHECK(told.back() == "load: west would bear 1050 of 1000, 105 % of its capacity; now 150");
}
