// L8, P3: what is answered when nothing is fit, mode by mode.
#include "policies/all_down.hpp"
#include "tests/unit/policies/builders.hpp"

#include <set>

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

using Mode = OnAllDown::Mode;

struct Dark {
    explicit Dark(Policy policy) : model(world(3)) {
        Service& s = serve(model, "www", std::move(policy));
        s.endpoints[0].addresses.push_back(ip("2001:db8::1"));
        s.endpoints[1].weight = 3;
        s.on_all_down.addresses = {ip("192.0.2.99")};
    }
    /// "east:10.1.0.1,2001:db8::1*1 ..." or SERVFAIL, NODATA
    std::string answer(Mode mode, std::vector<EndpointIndex> last_good = {},
                       std::optional<EndpointIndex> active = {}) {
        Service& s = model.services[0];
        s.on_all_down.mode = mode;
        std::vector<Candidate> list;
        for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
            list.push_back(
                {e, false, !excluded.contains(e), s.endpoints[e].addresses, s.endpoints[e].weight});
        AnswerPlan plan = all_down(model, s, list, last_good, active);
        if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
        if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
        std::string text;
        for (const Choice& c : plan.choices) {
            text += text.empty() ? "" : " ";
            for (std::size_t i = 0; i < c.addresses.size(); ++i)
                text += (i ? "," : "") + c.addresses[i].to_string();
            text += "*" + std::to_string(c.weight);
        }
        return text;
    }
    Model model;
    std::set<EndpointIndex> excluded;
};

const std::string east = "10.1.0.1,2001:db8::1*1";

} // namespace

TEST_CASE("P3: each mode answers what it says") {
    struct Row {
        Mode mode;
        std::string weighted, ordered;
    };
    for (const Row& r : {
             Row{Mode::as_if_all_up, east + " 10.2.0.1*3 10.3.0.1*1", east},
             Row{Mode::last_good, "10.3.0.1*1", "10.3.0.1*1"},
             Row{Mode::all, "10.1.0.1,2001:db8::1,10.2.0.1,10.3.0.1*1",
                 "10.1.0.1,2001:db8::1,10.2.0.1,10.3.0.1*1"},
             Row{Mode::fixed, "192.0.2.99*1", "192.0.2.99*1"},
             Row{Mode::nodata, "NODATA", "NODATA"},
             Row{Mode::servfail, "SERVFAIL", "SERVFAIL"},
         }) {
        CAPTURE(to_string(r.mode));
        CHECK(Dark(Weighted{}).answer(r.mode, {2}) == r.weighted);
        CHECK(Dark(in_order(3)).answer(r.mode, {2}) == r.ordered);
    }
}

TEST_CASE("L8: what is excluded is never answered") {
    Dark d(Weighted{});
    d.excluded = {0};
    CHECK(d.answer(Mode::as_if_all_up) == "10.2.0.1*3 10.3.0.1*1");
    CHECK(d.answer(Mode::all) == "10.2.0.1,10.3.0.1*1");
    CHECK(d.answer(Mode::last_good, {0, 1}) == "10.2.0.1*3");
    d.excluded = {0, 1, 2};
    CHECK(d.answer(Mode::as_if_all_up) == "SERVFAIL");
    CHECK(d.answer(Mode::all) == "SERVFAIL");
}

TEST_CASE("L8: last_good of which nothing is left means as_if_all_up, and so does none at all") {
    Dark d(Weighted{});
    CHECK(d.answer(Mode::last_good) == d.answer(Mode::as_if_all_up));
    d.excluded = {1};
    CHECK(d.answer(Mode::last_good, {1}) == d.answer(Mode::as_if_all_up));
}

TEST_CASE("L8: as_if_all_up is the policy with its latch, unless the latched site is excluded") {
    Dark d(in_order(3));
    CHECK(d.answer(Mode::as_if_all_up, {}, EndpointIndex{1}) == "10.2.0.1*1");
    d.excluded = {1};
    CHECK(d.answer(Mode::as_if_all_up, {}, EndpointIndex{1}) == east);
}

TEST_CASE("L8: an endpoint without an address is not answered for") {
    Dark d(in_order(3));
    d.model.services[0].endpoints[0].addresses.clear();
    CHECK(d.answer(Mode::as_if_all_up) == "10.2.0.1*1");
}

TEST_CASE("a latency service answers each client as if all were up") {
    Dark d(Latency{});
    d.model.clients.classes[0].rtt_ms = {30.0, 10.0, 20.0};
    CHECK(d.answer(Mode::as_if_all_up) == "10.2.0.1*1");
}

TEST_CASE("the modes are named as in YAML") {
    CHECK(to_string(Mode::as_if_all_up) == "as_if_all_up");
    CHECK(to_string(Mode::last_good) == "last_good");
    CHECK(to_string(Mode::all) == "all");
    CHECK(to_string(Mode::fixed) == "static");
    CHECK(to_string(Mode::nodata) == "nodata");
    CHECK(to_string(Mode::servfail) == "servfail");
}
