// P10: nearest by the best knowledge there is, and moved only for a gain above the margin.
#include "policies/selection.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

/// Two endpoints (or three), one class of clients, and what it is answered turn by turn.
struct Nearest {
    explicit Nearest(std::size_t n, Latency policy = {}) : model(world(n)) {
        serve(model, "www", policy);
        fit.assign(n, true);
    }
    ClientClass& clients() { return model.clients.classes[0]; }
    EndpointIndex answer() {
        const Service& s = model.services[0];
        std::vector<Candidate> list;
        for (EndpointIndex e = 0; e < fit.size(); ++e)
            list.push_back({e, fit[e], fit[e], s.endpoints[e].addresses, 1});
        AnswerPlan plan = select({model, s, list}, {}, previous);
        return plan.choices.at(plan.by_client.at(0)).endpoint;
    }
    /// Answers the second endpoint at first, because the first one is not fit; then what `rtt` makes of it.
    EndpointIndex after_return(double rtt_first, double rtt_second) {
        clients().rtt_ms = {rtt_first, rtt_second};
        fit[0] = false;
        REQUIRE(answer() == 1);
        fit[0] = true;
        return answer();
    }
    Model model;
    std::vector<bool> fit;
    std::vector<std::optional<EndpointIndex>> previous;
};

constexpr Coordinates new_york{40.7, -74.0}, san_francisco{37.8, -122.4}, frankfurt{50.1, 8.7},
    paris{48.9, 2.35};

} // namespace

TEST_CASE("great-circle distances are those of the globe") {
    CHECK(distance_km(new_york, new_york) == doctest::Approx(0));
    CHECK(distance_km(new_york, san_francisco) == doctest::Approx(4130).epsilon(0.01));
    CHECK(distance_km(frankfurt, paris) == doctest::Approx(479).epsilon(0.02));
    CHECK(distance_km({0, 0}, {0, 180}) == doctest::Approx(20015).epsilon(0.001));
    CHECK(distance_km({0, 179}, {0, -179}) == doctest::Approx(222.4).epsilon(0.01));
    CHECK(distance_km(paris, frankfurt) == doctest::Approx(distance_km(frankfurt, paris)));
}

TEST_CASE("round-trip times decide before distances do") {
    Nearest n(2);
    n.model.datacenters[0].coordinates = frankfurt;
    n.model.datacenters[1].coordinates = new_york;
    n.clients().coordinates = paris;
    CHECK(n.answer() == 0);
    Nearest measured(2);
    measured.model = n.model;
    measured.clients().rtt_ms = {80.0, 20.0};
    CHECK(measured.answer() == 1);
}

TEST_CASE("a datacenter without a measurement is reckoned by its distance, beside measured ones") {
    Nearest n(2);
    n.model.datacenters[0].coordinates = frankfurt;
    n.clients().coordinates = paris; // 480 km: some 7 ms
    SUBCASE("nearer than the measured one") {
        n.clients().rtt_ms = {std::nullopt, 20.0};
        CHECK(n.answer() == 0);
    }
    SUBCASE("farther") {
        n.clients().rtt_ms = {std::nullopt, 2.0};
        CHECK(n.answer() == 1);
    }
}

TEST_CASE("known is nearer than unknown, and of unknown ones the earlier is answered") {
    Nearest n(3);
    CHECK(n.answer() == 0);
    Nearest one_known(3);
    one_known.clients().rtt_ms = {std::nullopt, std::nullopt, 300.0};
    CHECK(one_known.answer() == 2);
    Nearest tie(3);
    tie.clients().rtt_ms = {20.0, 10.0, 10.0};
    CHECK(tie.answer() == 1);
}

TEST_CASE("P10: a gain switches only above the larger of 10 ms and 15 %") {
    struct Row {
        double first, second;
        EndpointIndex expected;
    };
    for (const Row& r : {Row{20, 25, 1}, Row{15, 25, 1}, Row{14.9, 25, 0}, Row{170, 200, 1}, Row{169, 200, 0},
                         Row{185, 200, 1}, Row{1, 2, 1}, Row{100, 100, 1}, Row{30, 10, 1}})
        CHECK(Nearest(2).after_return(r.first, r.second) == r.expected);
}

TEST_CASE("the margin is the operator's to choose") {
    CHECK(Nearest(2, {.margin_absolute = 0ms, .margin_relative = 0}).after_return(19.9, 20) == 0);
    CHECK(Nearest(2, {.margin_absolute = 0ms, .margin_relative = 0}).after_return(20, 20) == 1);
    CHECK(Nearest(2, {.margin_absolute = 50ms, .margin_relative = 0}).after_return(10, 60) == 1);
    CHECK(Nearest(2, {.margin_absolute = 50ms, .margin_relative = 0}).after_return(10, 61) == 0);
    CHECK(Nearest(2, {.margin_absolute = 0ms, .margin_relative = 0.5}).after_return(51, 100) == 1);
    CHECK(Nearest(2, {.margin_absolute = 0ms, .margin_relative = 0.5}).after_return(49, 100) == 0);
}

TEST_CASE("no margin keeps clients at a site that cannot be answered") {
    Nearest n(2);
    n.clients().rtt_ms = {10.0, 11.0};
    REQUIRE(n.answer() == 0);
    n.fit[0] = false;
    CHECK(n.answer() == 1);
}

TEST_CASE("L12: clients nothing is known of return to the earlier site when it is fit again") {
    Nearest n(2);
    REQUIRE(n.answer() == 0);
    n.fit[0] = false;
    CHECK(n.answer() == 1);
    n.fit[0] = true;
    CHECK(n.answer() == 0);
}

TEST_CASE("a fit site is preferred to a nearer braked one, margin or not") {
    Nearest n(2);
    n.clients().rtt_ms = {1.0, 500.0};
    REQUIRE(n.answer() == 0);
    const Service& s = n.model.services[0];
    std::vector<Candidate> list{{0, false, true, s.endpoints[0].addresses, 1},
                                {1, true, true, s.endpoints[1].addresses, 1}};
    AnswerPlan plan = select({n.model, s, list}, {}, n.previous);
    CHECK(plan.choices.at(0).endpoint == 1);
}
