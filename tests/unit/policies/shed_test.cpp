// P15: shares settle although the load is seen late, over a table of gains; who takes what is shed.
#include "policies/selection.hpp"
#include "policies/shed.hpp"
#include "tests/unit/policies/builders.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

/// Two or more sites behind a weighted service, and a feed that tells their load late.
struct Plant {
    double demand = 1; ///< of all clients, in capacities of one site
    double gain = 1;   ///< how steeply load follows traffic: 2 is its square
    double fixed = 0;  ///< of a site's load that follows no answer
    Duration delay = 30s, averaged = 0s;
    LoadSettings settings{.shed_above = 0.8, .lag = 30s};
    std::vector<double> weights{0.8, 0.2};

    Shedding state{};
    std::deque<std::vector<double>> past{}; ///< true load, a second each, newest last

    std::vector<double> shares() const {
        const std::vector<double> none(weights.size(), 1);
        return within_limits(weights, state.limits.empty() ? none : state.limits, false);
    }
    void live() {
        std::vector<double> load;
        for (double s : shares()) load.push_back(fixed + (1 - fixed) * std::pow(s * demand, gain));
        past.push_back(load);
    }
    /// What is seen at the moment `t`: the mean of `averaged` before `t - delay`.
    double seen(std::size_t site, int t) const {
        const int last = std::max(0, t - static_cast<int>(delay / 1s));
        const int first = std::max(0, last - static_cast<int>(averaged / 1s));
        double sum = 0;
        for (int i = first; i <= last; ++i) sum += past[static_cast<std::size_t>(i)][site];
        return sum / (last - first + 1);
    }
    /// The first site's share, a second each.
    std::vector<double> runs(int seconds) {
        std::vector<double> history;
        for (int t = 0; t < seconds; ++t) {
            live();
            if (t % 2 == 0) {
                std::vector<LoadedSite> sites;
                const auto now = shares();
                for (std::size_t i = 0; i < weights.size(); ++i)
                    sites.push_back({.fit = true, .use = seen(i, t), .share = now[i]});
                shed(state, sites, settings, at(std::chrono::seconds(t)).mono);
            }
            history.push_back(shares()[0]);
        }
        return history;
    }
};

/// After `from` no share is further than 5 points from where it ends.
bool settled(const std::vector<double>& history, int from) {
    for (std::size_t t = static_cast<std::size_t>(from); t < history.size(); ++t)
        if (std::abs(history[t] - history.back()) > 0.05) return false;
    return true;
}

/// How often the share turned round, by more than two points.
int swings(const std::vector<double>& history) {
    int count = 0, way = 0;
    double edge = history.front();
    for (double share : history) {
        const int now = share > edge + 0.02 ? 1 : share < edge - 0.02 ? -1 : 0;
        if (now == 0) continue;
        count += way != 0 && now != way;
        way = now;
        edge = share;
    }
    return count;
}

LoadedSite site(double use, double share, bool fit = true) { return {fit, use, share}; }

} // namespace

TEST_CASE(
    "P15: with a feed that lags, shares are settled after 5 lags, whatever the gain, and do not swing") {
    for (const Duration delay : {30s, 10s, 60s})
        for (const double gain : {0.5, 0.75, 1.0, 1.5, 2.0})
            for (const double demand : {1.05, 1.2, 1.4, 1.55})
                for (const double fixed : {0.0, 0.2}) {
                    Plant p{.demand = demand, .gain = gain, .fixed = fixed, .delay = delay};
                    if (fixed + (1 - fixed) * std::pow(demand / 2, gain) > 0.75)
                        continue; // too much for both
                    const int lag = static_cast<int>(std::max(delay, p.settings.lag) / 1s);
                    const auto history = p.runs(60 * lag);
                    CAPTURE(delay / 1s);
                    CAPTURE(gain);
                    CAPTURE(demand);
                    CAPTURE(fixed);
                    CHECK(settled(history, 5 * lag));
                    CHECK(swings(history) <= 2);
                    const double load = fixed + (1 - fixed) * std::pow(history.back() * demand, gain);
                    CHECK(load <= 0.81);
                    if (history.front() > history.back() + 0.01)
                        CHECK(load >= 0.66); // no more than is needed
                }
}

TEST_CASE("P15: a feed that tells the mean of the last minute settles as well") {
    for (const double gain : {0.75, 1.0, 1.5}) {
        Plant p{.demand = 1.3, .gain = gain, .delay = 10s, .averaged = 60s};
        const auto history = p.runs(3600);
        CAPTURE(gain);
        CHECK(settled(history, 300)); // 5 times the minute
        CHECK(swings(history) <= 2);
    }
}

TEST_CASE("P15: when the demand has gone, the shares come back as configured, each step a quarter at most") {
    Plant p{.demand = 1.4};
    p.runs(600);
    REQUIRE(p.shares()[0] < 0.65);
    Plant q = p;
    q.demand = 0.5;
    q.past.clear();
    q.state.acted.reset();
    const auto back = q.runs(900);
    for (std::size_t t = 1; t < back.size(); ++t) CHECK(back[t] <= back[t - 1] * 1.25 + 1e-9);
    CHECK(back.back() == doctest::Approx(0.8));
    CHECK(q.state.limits[0] == 1);
}

TEST_CASE("at most one act a lag; the lag that is measured counts where it is longer") {
    Shedding s;
    LoadSettings settings{.shed_above = 0.8, .lag = 30s};
    std::vector<LoadedSite> sites{site(1.2, 0.5), site(0.5, 0.5)};
    CHECK(shed(s, sites, settings, at(0s).mono).moved == std::vector<EndpointIndex>{0});
    const double first = s.limits[0];
    sites[0].share = first;
    sites[1].share = 1 - first;
    CHECK(shed(s, sites, settings, at(2s).mono).due == at(30s).mono);
    CHECK(shed(s, sites, settings, at(31s).mono).moved.empty()); // nothing of it is seen yet
    CHECK(s.limits[0] == first);
    sites[0].use = 1.2 * first / 0.5; // seen: all of it
    const auto step = shed(s, sites, settings, at(50s).mono);
    CHECK(s.lag == 50s);
    CHECK(step.moved == std::vector<EndpointIndex>{0});
    sites[0] = site(*sites[0].use, s.limits[0]);
    sites[1].share = 1 - s.limits[0];
    CHECK(shed(s, sites, settings, at(85s).mono).due == at(100s).mono); // a lag of 50 s now
}

TEST_CASE("what is never seen is waited for three lags, and then no longer") {
    Shedding s;
    LoadSettings settings{.shed_above = 0.8, .lag = 30s};
    std::vector<LoadedSite> sites{site(1.2, 0.5), site(0.3, 0.5)};
    shed(s, sites, settings, at(0s).mono);
    sites[0].share = s.limits[0];
    sites[1].share = 1 - s.limits[0];
    CHECK(shed(s, sites, settings, at(80s).mono).moved.empty());
    CHECK(shed(s, sites, settings, at(90s).mono).moved.size() == 1);
}

TEST_CASE("stale load changes nothing, and neither does load that nobody has room for") {
    LoadSettings settings{.shed_above = 0.8, .lag = 30s};
    Shedding s;
    const LoadedSite unknown{.fit = true, .share = 0.5};
    CHECK(shed(s, std::vector{unknown, unknown}, settings, at(0s).mono).moved.empty());
    CHECK(shed(s, std::vector{site(1.2, 0.5), unknown}, settings, at(2s).mono)
              .moved.empty()); // room? nobody says
    CHECK(shed(s, std::vector{site(1.2, 0.5), site(0.2, 0.5, false)}, settings, at(4s).mono).moved.empty());
    CHECK(shed(s, std::vector{site(1.2, 0.5), site(1.15, 0.5)}, settings, at(6s).mono).moved.empty());
    CHECK(nowhere_to_go(std::vector{site(1.2, 0.5), site(1.15, 0.5)}, settings));
    CHECK_FALSE(nowhere_to_go(std::vector{site(1.2, 0.5), site(0.5, 0.5)}, settings));
    CHECK_FALSE(nowhere_to_go(std::vector{site(1.2, 0.5), unknown}, settings));
    shed(s, std::vector{site(1.2, 0.5), site(0.2, 0.5)}, settings, at(8s).mono);
    const auto held = s.limits;
    REQUIRE(held[0] < 0.5);
    for (int t = 10; t < 3600; t += 10)
        shed(s,
             std::vector{LoadedSite{.fit = true, .share = held[0]},
                         LoadedSite{.fit = true, .share = 1 - held[0]}},
             settings, at(std::chrono::seconds(t)).mono);
    CHECK(s.limits == held);
}

TEST_CASE("two sites that are both too full are evened out") {
    Plant p{.demand = 2, .weights = {0.7, 0.3}};
    const auto history = p.runs(1200);
    CHECK(history.back() == doctest::Approx(0.5).epsilon(0.1));
    CHECK(settled(history, 150));
}

TEST_CASE("a share that others moved is news to the load: the loop waits a lag for it") {
    LoadSettings settings{.shed_above = 0.8, .lag = 30s};
    Shedding s;
    shed(s, std::vector{site(0.7, 1), site(0.0, 0, false)}, settings, at(0s).mono);
    // another site returned: the load that is told now is that of before
    CHECK(shed(s, std::vector{site(0.95, 0.5), site(0, 0.5)}, settings, at(10s).mono).due == at(40s).mono);
}

TEST_CASE("what is beyond a limit goes to those with room, in proportion or in turn") {
    const std::vector<double> wanted{0.6, 0.2, 0.2};
    const auto is = [&](std::vector<double> limits, bool in_turn, std::vector<double> should) {
        const auto got = within_limits(wanted, limits, in_turn);
        for (std::size_t i = 0; i < 3; ++i) CHECK(got[i] == doctest::Approx(should[i]));
    };
    is({1, 1, 1}, false, {0.6, 0.2, 0.2});
    is({0.4, 1, 1}, false, {0.4, 0.3, 0.3});
    is({0.4, 0.25, 1}, false, {0.4, 0.25, 0.35});
    is({0.4, 1, 1}, true, {0.4, 0.4, 0.2});
    is({0.4, 0.25, 1}, true, {0.4, 0.25, 0.35});
    is({1, 1, 0.1}, true, {0.7, 0.2, 0.1}); // round the end of the list
    is({0.2, 0.2, 0.1}, false, {0.4, 0.4, 0.2});
}
