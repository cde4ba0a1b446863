// L21, O7: how many more failure domains a service survives, and which objectives could not be kept to.
#include "policies/redundancy.hpp"
#include "tests/unit/policies/builders.hpp"

using namespace fairway;
using namespace fairway::policies;
using namespace fairway::policies::test;

namespace {

/// Four sites; the domain of each as a letter.
Model placed(const std::string& domains) {
    Model m = world(domains.size());
    for (std::size_t i = 0; i < domains.size(); ++i) m.datacenters[i].region = std::string(1, domains[i]);
    serve(m, "www", Weighted{});
    return m;
}

std::vector<bool> able(const std::string& flags) {
    std::vector<bool> out;
    for (char c : flags) out.push_back(c == '+');
    return out;
}

} // namespace

TEST_CASE("L21: distinct failure domains count, and one of them has to be left") {
    struct Row {
        const char *domains, *able;
        unsigned survives, designed;
    };
    for (const Row& r :
         {Row{"a", "+", 0, 0}, Row{"ab", "++", 1, 1}, Row{"ab", "+-", 0, 1}, Row{"ab", "--", 0, 1},
          Row{"aab", "+++", 1, 1}, Row{"aab", "-++", 1, 1}, Row{"aab", "--+", 0, 1},
          Row{"abcd", "++++", 3, 3}, Row{"abcd", "+--+", 1, 3}, Row{"aaaa", "++++", 0, 0}}) {
        CAPTURE(r.domains);
        CAPTURE(r.able);
        Model m = placed(r.domains);
        CHECK(redundancy(m, m.services[0], able(r.able)) == Redundancy{r.survives, r.designed});
    }
}

TEST_CASE(
    "L21: a store that needs a majority of its domains counts so; one that a runbook switches does not") {
    struct Row {
        const char *domains, *able;
        unsigned survives, designed;
    };
    for (const Row& r :
         {Row{"ab", "++", 0, 0}, Row{"abc", "+++", 1, 1}, Row{"abc", "++-", 0, 1}, Row{"abcd", "++++", 1, 1},
          Row{"abcde", "+++++", 2, 2}, Row{"abcde", "+-+++", 1, 2}, Row{"abcde", "+-+--", 0, 2}}) {
        CAPTURE(r.domains);
        CAPTURE(r.able);
        Model m = placed(r.domains);
        Service& s = m.services[0];
        s.consistency = Service::Consistency::strong;
        s.stateful = on(db);
        CHECK(redundancy(m, s, able(r.able)) == Redundancy{r.survives, r.designed});
    }
    Model m = placed("ab");
    Service& s = m.services[0];
    s.policy = in_order(2);
    s.consistency = Service::Consistency::strong;
    s.stateful = on(db);
    CHECK(redundancy(m, s, able("++")) == Redundancy{1, 1});
}

TEST_CASE("L21: what the policy names never is no redundancy; a datacenter without a region is a domain") {
    Model m = world(3);
    serve(m, "www", ActivePassive{{0, 1}});
    CHECK(redundancy(m, m.services[0], able("+++")) == Redundancy{1, 1});
    CHECK(failure_domain({.name = "east"}) == "east");
    CHECK(failure_domain({.name = "east", .region = "us", .zone = "a"}) == "us/a");
}

TEST_CASE("O7: the objectives that could not be kept to now are named, with the figures") {
    Model m = world(2);
    Service& s = follow_service(m);
    CHECK(missed_objectives(s, {{0, 1}, true, {}}).empty()); // nothing is asked
    s.objectives = {.rto = 60s, .rpo = 5s};
    CHECK(missed_objectives(s, {{1, 1}, true, 1s}).empty());
    CHECK(missed_objectives(s, {{1, 1}, true, 6s}).find("6s behind") != std::string::npos);
    CHECK(missed_objectives(s, {{1, 1}, true, {}}).find("no standby's lag") != std::string::npos);
    CHECK(missed_objectives(s, {{0, 1}, true, 1s}).find("rto") != std::string::npos);
    CHECK(missed_objectives(s, {{1, 1}, false, {}}).empty()); // nothing that could report a lag
}
