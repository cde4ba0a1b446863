// The metrics page: what promtool thinks of it, and that undecided is neither up nor down.
#include "daemon/metrics.hpp"
#include "tests/unit/daemon/a_report.hpp"
#include "tests/unit/daemon/scratch.hpp"
#include "tests/unit/policies/builders.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace fairway;
using namespace fairway::daemon;
using namespace fairway::policies;

namespace {

bool has(const std::string& page, const std::string& line) {
    return page.find(line + "\n") != std::string::npos;
}

std::string page_of(const Report& report) {
    Metrics m;
    Happening h{
        1, {.change = Change::plan_changed, .fault = Instant(1h), .decided = Instant(1h + 700ms)}, {}};
    m.happened(h);
    h.published = h.transition.decided + 4ms;
    m.answered(h);
    Vitals vitals{.probe_lag = 30ms};
    vitals.dns.udp.queries = 12;
    vitals.dns.udp.by_rcode[0] = 11;
    return m.text(report, vitals, 20ms);
}

}

TEST_CASE("O2: the page passes promtool check metrics") {
    Scratch scratch;
    std::ofstream(scratch.path / "page") << page_of(a_report());
    if (std::system("command -v promtool > /dev/null") != 0) {
        MESSAGE("promtool is not here: not tried");
        return;
    }
    const std::string command = "promtool check metrics < " + (scratch.path / "page").string() + " >&2";
    CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("H4: undecided and held are states of their own, never up or down") {
    const std::string page = page_of(a_report());
    CHECK(has(
        page,
        R"(fairway_member_state{check="web",datacenter="east",kind="http",member="1",target="10.1.0.1:80",state="up"} 1)"));
    CHECK(has(
        page,
        R"(fairway_member_state{check="web",datacenter="west",kind="http",member="2",target="10.2.0.1:80",state="undecided"} 1)"));
    CHECK(has(
        page,
        R"(fairway_member_state{check="web",datacenter="eu",kind="http",member="3",target="10.3.0.1:80",state="held"} 1)"));
    CHECK(page.find(R"(member="2",target="10.2.0.1:80",state="up")") == page.npos);
    CHECK(page.find(R"(member="2",target="10.2.0.1:80",state="down")") == page.npos);
    CHECK(has(page, R"(fairway_endpoint_state{service="shop.test",datacenter="west",state="undecided"} 1)"));
}

TEST_CASE("the age of a freeze is on the page") {
    auto report = a_report();
    CHECK_FALSE(has(page_of(report), "fairway_freeze_age_seconds{"));
    report.alarms.push_back(
        {"frozen", Severity::warning, "www.test", "", "frozen by ann", report.at.mono - 90s});
    CHECK(has(page_of(report), R"(fairway_freeze_age_seconds{service="www.test"} 90)"));
}

TEST_CASE("active, preferred, switch, mode, alarms and counts are on the page") {
    const std::string page = page_of(a_report());
    CHECK(has(page, R"(fairway_service_active{service="shop.test",datacenter="east"} 1)"));
    CHECK(has(page, R"(fairway_service_preferred{service="shop.test",datacenter="west"} 1)"));
    CHECK(has(page, R"(fairway_service_state{service="shop.test",state="held"} 1)"));
    CHECK(has(page, R"(fairway_service_state{service="www.test",state="all_down"} 1)"));
    CHECK(has(page, R"(fairway_service_on_all_down{service="www.test",mode="last_good"} 1)"));
    CHECK(has(page, R"(fairway_service_switch_step{service="shop.test",step="awaiting_approval"} 1)"));
    CHECK(has(page,
              R"(fairway_alarm{id="no_primary",severity="critical",service="shop.test",datacenter=""} 1)"));
    CHECK(has(page, R"(fairway_transitions_total{change="plan_changed"} 1)"));
    CHECK(has(page, R"(fairway_transitions_total{change="member_down"} 0)"));
    CHECK(has(page, R"(fairway_decision_seconds_bucket{le="0.5"} 0)"));
    CHECK(has(page, R"(fairway_decision_seconds_bucket{le="1"} 1)"));
    CHECK(has(page, R"(fairway_publish_seconds_bucket{le="0.005"} 1)"));
    CHECK(has(page, R"(fairway_dns_queries_total{transport="udp"} 12)"));
    CHECK(has(page, R"(fairway_dns_responses_total{transport="udp",rcode="NOERROR"} 11)"));
    CHECK(has(page, R"(fairway_generation 7)"));
    CHECK(has(page, R"(fairway_endpoint_lag_seconds{service="shop.test",datacenter="east"} 0.12)"));
}

TEST_CASE("O2: how long probes took is told by kind and datacenter, however many targets there are") {
    Model m = test::world(2);
    test::serve(m, "www", Weighted{}).endpoints[0].addresses.push_back(test::ip("10.1.0.9"));
    Engine engine(std::make_shared<const Model>(std::move(m)), {}, test::at(0s));
    Metrics metrics;
    std::vector<Observation> batch;
    for (const Member& member : engine.members()) {
        batch.push_back(test::passed(test::dawn + 1s)); // in 10 ms
        batch.back().member = member.id;
    }
    batch.push_back(batch.back());
    batch.back().outcome = Outcome::unknown; // not the target's
    batch.push_back(batch.front());
    batch.back().member = 4711; // of a configuration that is gone
    metrics.seen(batch, engine);
    const std::string page = metrics.text(a_report(), {}, {});
    CHECK(has(page, R"(fairway_probe_seconds_count{datacenter="east",kind="http"} 2)"));
    CHECK(has(page, R"(fairway_probe_seconds_count{datacenter="west",kind="http"} 1)"));
    CHECK(has(page, R"(fairway_probe_seconds_bucket{datacenter="east",kind="http",le="0.005"} 0)"));
    CHECK(has(page, R"(fairway_probe_seconds_bucket{datacenter="east",kind="http",le="0.025"} 2)"));
}
