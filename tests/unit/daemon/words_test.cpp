// JSON and log lines: what others read.
#include "daemon/json_value.hpp"
#include "daemon/log.hpp"
#include "daemon/requests.hpp"
#include "daemon/serialize.hpp"
#include "tests/unit/daemon/a_report.hpp"

#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <map>

using namespace fairway;
using namespace fairway::daemon;
using namespace fairway::policies;

namespace {

JsonValue parsed(const std::string& text) {
    auto v = JsonValue::parse(text);
    REQUIRE(v);
    return *v;
}

std::string problem(std::string_view name, const std::string& body) {
    const auto r = read_command(name, parsed(body), "ann");
    REQUIRE(r);
    const auto* bad = std::get_if<BadRequest>(&*r);
    return bad ? bad->why : "";
}

template<class T> T command(std::string_view name, const std::string& body) {
    const auto r = read_command(name, parsed(body), "ann");
    REQUIRE(r);
    REQUIRE(std::holds_alternative<Command>(*r));
    CHECK(std::get<Command>(*r).operator_name == "ann");
    return std::get<T>(std::get<Command>(*r).what);
}

}

TEST_CASE("the report's JSON says what the report says") {
    const auto r = parsed(to_json(a_report()));
    CHECK(r.text("at") == "2025-10-09T08:53:20.000Z");
    CHECK(r.number("generation") == 7);
    CHECK_FALSE(r.flag("doubt"));
    const auto shop = r.at("services").items().at(0);
    CHECK(shop.text("state") == "held: no primary");
    CHECK(shop.text("since") == "2025-10-09T08:52:20.000Z");
    const auto east = shop.at("endpoints").items().at(0);
    CHECK(east.text("role") == "primary");
    CHECK(east.number("lag_ms") == 120);
    CHECK(east.at("addresses").items().at(0).text() == "10.1.0.1");
    CHECK(shop.at("endpoints").items().at(1).at("role").is_null());
    CHECK(shop.at("switch").text("step") == "awaiting approval");
    CHECK(shop.at("followed").number("epoch") == 3);
    CHECK(r.at("members").items().at(1).at("last").is_null());
    CHECK(r.at("members").items().at(0).at("last").text("outcome") == "pass");
    CHECK(r.at("alarms").items().at(0).text("severity") == "critical");
    CHECK(r.at("overrides").items().at(0).text("datacenter") == "eu");
}

TEST_CASE("every word of a switch is read back") {
    for (int c = 0; c <= static_cast<int>(SwitchCause::requested_failback); ++c)
        for (int s = 0; s <= static_cast<int>(SwitchStep::obsolete); ++s) {
            ServiceRecord r{.service = "a"};
            r.running = Switch{.cause = static_cast<SwitchCause>(c), .step = static_cast<SwitchStep>(s)};
            const auto back = service_record(to_json(r));
            REQUIRE(back);
            CHECK(back->running->cause == r.running->cause);
            CHECK(back->running->step == r.running->step);
        }
}

TEST_CASE("what a service was told of last is read back, and an older record has none of it") {
    ServiceRecord r{.service = "a", .served = true};
    const WallTime at{1763600000123ms};
    r.endpoints = {{"east", true, true, false, true, 0.5, at}};
    r.answer = AnswerRecord{"east, west", "west is fit", 0xfedcba9876543210, at};
    r.redundancy = RedundancyRecord{1, 2, at + 1s};
    r.missed = "rpo 1s";
    r.missed_since = at + 2s;
    r.excluded_since = at + 3s;
    r.awaiting_failback = true;
    const auto back = service_record(to_json(r));
    REQUIRE(back);
    CHECK(to_json(*back) == to_json(r));
    CHECK(back->answer->fingerprint == 0xfedcba9876543210);
    CHECK(back->endpoints.at(0).since == at);
    CHECK_FALSE(back->all_down_since);
    const auto older = service_record(
        R"({"service":"a","served":true,"active":null,"followed":null,"last_good":[],"running":null})");
    REQUIRE(older);
    CHECK_FALSE(older->answer);
    CHECK(older->endpoints.empty());
}

TEST_CASE("what is no record is none") {
    for (const char* text : {"", "{", "[]", "{}", "null", R"({"service":1})"})
        CHECK_FALSE(service_record(text));
    CHECK_FALSE(member_record(R"({"key":"a"})"));
    CHECK_FALSE(override_record(R"({"kind":"melt"})"));
    CHECK_FALSE(alias_record(R"({"name":"lb"})"));
}

TEST_CASE("commands are read field by field, and nothing in them is ignored") {
    const auto d =
        command<SetOverride>("drain", R"({"datacenter":"east","reason":"works","for":"30m","force":true})");
    CHECK(d.scope == Scope{"", "east"});
    CHECK(d.lasts == 30min);
    CHECK(d.force);
    CHECK(command<SetOverride>("drain", R"({"service":"Shop.TEST.","reason":"x"})").scope.service ==
          "shop.test");
    CHECK(command<SetOverride>("drain", R"({"service":"a","reason":"x"})").lasts == 24h);
    CHECK(command<SetOverride>("force-up", R"({"tag":"payments","reason":"x"})").kind ==
          Override::Kind::force_up);
    CHECK(command<SetOverride>("freeze", R"({"reason":"x"})").scope == Scope{});
    CHECK(command<EndOverride>("unfreeze", "{}").kind == Override::Kind::freeze);
    CHECK(command<EndOverride>("undrain", R"({"datacenter":"east"})").scope.datacenter == "east");
    CHECK(command<Failover>("failover", R"({"service":"a.b","to":"west","accept_claim":true})").accept_claim);
    CHECK(command<Failback>("failback", R"({"service":"a.b"})").service == "a.b");
    CHECK(command<Approve>("approve", R"({"id":"x/1"})").switch_id == "x/1");
    CHECK_FALSE(read_command("destroy", parsed("{}"), "ann"));
}

TEST_CASE("a bad command is one sentence") {
    CHECK(problem("drain", R"({"service":"a"})") == "reason is needed");
    CHECK(problem("drain", R"({"service":"a","reason":"x","for":"soon"})") ==
          "for must be a time such as 30m or 24h, not soon");
    CHECK(problem("drain", R"({"service":"a","reason":"x","for":"0s"})").starts_with("for must be"));
    CHECK(problem("drain", R"({"service":"a","reason":1})") == "reason must be a text");
    CHECK(problem("drain", R"({"service":"a","reason":"x","force":"yes"})") == "force must be true or false");
    CHECK(problem("drain", R"({"service":"a","reason":"x","wait":true})") == "unknown field wait");
    CHECK(problem("drain", R"({"reason":"x"})") == "name a datacenter, a service, both, or a tag");
    CHECK(problem("undrain", "{}") == "name a datacenter, a service, both, or a tag");
    CHECK(problem("failover", R"({"service":"a..b","to":"x"})") == "a..b is not a domain name");
    CHECK(problem("failover", R"({"service":"a"})") == "to is needed");
}

TEST_CASE("a name that the configuration does not know is a mistake of the asker's, with the nearest one") {
    Model model;
    model.datacenters = {{.name = "east"}, {.name = "west"}};
    model.services = {{.name = Name::parse("shop.test").value()}};
    const auto unknown = [&](auto what) { return unknown_name(Command{what, "ann"}, model); };
    CHECK(unknown(SetOverride{{"shop.test", "east"}, "x"}) == "");
    CHECK(unknown(SetOverride{{"", "eest"}, "x"}) == "there is no datacenter `eest` (did you mean `east`?)");
    CHECK(unknown(EndOverride{{"", "mars"}}) == "there is no datacenter `mars`");
    CHECK(unknown(Failover{"shp.test", "west"}) ==
          "there is no service `shp.test` (did you mean `shop.test`?)");
    CHECK(unknown(Failover{"shop.test", "wst"}) == "there is no datacenter `wst` (did you mean `west`?)");
    CHECK(unknown(Failback{"shop.test"}) == "");
    CHECK(unknown(Approve{"shop.test:1"}) == "");
}

TEST_CASE("a log line is key=value, quoted where it must be, and one line whatever is in it") {
    CHECK(logfmt("member-down", {{"id", "7"}, {"service", ""}, {"reason", "a \"b\"\nc=\x01"}}) ==
          "msg=member-down id=7 reason=\"a \\\"b\\\" c=?\"");
}

TEST_CASE("an object of texts and flags leaves empty texts out") {
    CHECK(json_object({{"a", std::string("x\"y")}, {"b", std::string()}, {"c", true}, {"d", false}}) ==
          R"({"a":"x\"y","c":true})");
    CHECK(json_object({}) == "{}");
}

TEST_CASE("a line of the log as JSON keeps whatever is said in it") {
    CHECK(
        log_json("2026-11-20T07:00:00.000Z", "warning", "member-down",
                 {{"service", ""}, {"reason", "a \"b\"\nc"}}) ==
        R"({"time":"2026-11-20T07:00:00.000Z","level":"warning","msg":"member-down","reason":"a \"b\"\nc"})");
}

TEST_CASE("a flood of one message leaves room for others, and says how much was left out") {
    const Scratch scratch;
    const std::string file = (scratch.path / "log").string();
    const int before = dup(STDERR_FILENO), to = open(file.c_str(), O_WRONLY | O_CREAT, 0600);
    dup2(to, STDERR_FILENO);
    {
        const Log log;
        for (unsigned i = 0; i < Log::most + 100; ++i) log.write(Severity::info, "member-up", {});
        log.write(Severity::critical, "member-up", {{"reason", "critical"}});
        log.write(Severity::info, "member-down", {});
    }
    dup2(before, STDERR_FILENO);
    close(before), close(to);
    std::ifstream in(file);
    std::map<std::string, unsigned> lines;
    for (std::string line; std::getline(in, line);) ++lines[line.substr(line.find("msg="))];
    CHECK(lines == std::map<std::string, unsigned>{{"msg=member-up", Log::most},
                                                   {"msg=member-up reason=critical", 1},
                                                   {"msg=member-down", 1}});
}
