// P8, P12: who takes a lost share, and how the share of one that returned grows back.
#include "policies/selection.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

struct Site {
    unsigned weight;
    bool usable = true;
    double part = 1;
    bool fit = true;
};

/// The shares in percent, by endpoint.
std::vector<double> percent(const std::vector<Site>& sites, Service::LostShare lost,
                            Policy policy = Weighted{}) {
    Model m = world(sites.size());
    Service& s = serve(m, "www", std::move(policy));
    s.lost_share = lost;
    std::vector<Candidate> list;
    for (EndpointIndex e = 0; e < sites.size(); ++e) {
        s.endpoints[e].weight = sites[e].weight;
        list.push_back({.endpoint = e,
                        .fit = sites[e].fit && sites[e].usable,
                        .usable = sites[e].usable,
                        .addresses = s.endpoints[e].addresses,
                        .weight = sites[e].weight,
                        .part = sites[e].part});
    }
    Previous nothing_before;
    const AnswerPlan plan = select({m, s, list}, {}, nothing_before);
    std::vector<double> out(sites.size(), 0);
    const auto share = shares(plan);
    for (std::size_t i = 0; i < share.size(); ++i) out[plan.choices[i].endpoint] = share[i] * 100;
    return out;
}

void check(const std::vector<double>& is, const std::vector<double>& should) {
    REQUIRE(is.size() == should.size());
    for (std::size_t i = 0; i < is.size(); ++i) CHECK(is[i] == doctest::Approx(should[i]).epsilon(0.001));
}

constexpr Site out(unsigned weight) { return {weight, false}; }
constexpr Site back(unsigned weight, double part) { return {weight, true, part}; }
using enum Service::LostShare;

} // namespace

TEST_CASE(
    "P8: a lost share is spread over all that are left, or goes to the next, round the end of the list") {
    check(percent({{70}, {20}, {10}}, spread), {70, 20, 10});
    check(percent({out(70), {20}, {10}}, spread), {0, 66.667, 33.333});
    check(percent({out(70), {20}, {10}}, next), {0, 90, 10});
    check(percent({{70}, {20}, out(10)}, next), {80, 20, 0});
    check(percent({{70}, out(20), out(10)}, next), {100, 0, 0});
    check(percent({out(40), out(30), {20}, {10}}, next), {0, 0, 90, 10});
    check(percent({out(40), {0}, {20}}, next), {0, 0, 100}); // weight 0 takes nothing over
    check(percent({out(70), {20}, {10}}, next, Sticky{}), {0, 90, 10});
    check(percent({out(70), {20}, {10}}, next, RoundRobin{}), {0, 66.667, 33.333});
}

TEST_CASE(
    "P12: the share of one that returned is a part of its own, and the others have the rest in proportion") {
    check(percent({{1}, back(1, 0.1)}, spread), {95, 5});
    check(percent({{70}, back(20, 0.5), {10}}, spread), {78.75, 10, 11.25});
    check(percent({back(70, 0.1), {20}, {10}}, spread), {7, 62, 31});
    check(percent({back(50, 0.1), back(25, 0.5), {25}}, spread), {5, 12.5, 82.5});
    check(percent({{70}, back(20, 0.5), {10}}, spread, Sticky{}), {78.75, 10, 11.25});
    check(percent({{1}, back(1, 0.25), {1}}, spread, RoundRobin{}), {45.833, 8.333, 45.833});
}

TEST_CASE("P12, L10: with nobody else fit to carry the rest, nothing is held back") {
    check(percent({back(1, 0.1), out(1)}, spread), {100, 0});
    check(percent({back(1, 0.1), back(1, 0.5)}, spread), {50, 50});
    check(percent({back(1, 0.1), {1, true, 1, false}}, spread), {50, 50}); // a braked one could not
}
