// The two programs as they are typed: what is wrong is named, the nearest right word too, and the exit code
// says which kind it was.
#include "daemon/http_server.hpp"
#include "daemon/json_value.hpp"
#include "daemon/sockets.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>

using namespace fairway::daemon;

namespace {

struct Ran {
    int exit = -1;
    std::string said; ///< on both streams
};

Ran run(const std::string& program, const std::string& arguments) {
    Ran r;
    FILE* pipe = popen((program + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe);
    std::array<char, 4096> buffer{};
    while (const std::size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
        r.said.append(buffer.data(), n);
    const int status = pclose(pipe);
    if (WIFEXITED(status)) r.exit = WEXITSTATUS(status);
    return r;
}

Ran ctl(const std::string& arguments) { return run(FAIRWAYCTL, arguments); }
Ran fairwayd(const std::string& arguments) { return run(FAIRWAYD, arguments); }

constexpr const char* good = R"(
dns: {listen: ["127.0.0.1:5300"]}
zones: {example.com: {nameservers: {ns1: [127.0.0.1]}}}
datacenters: {east: {}, west: {}}
services:
  www.example.com:
    policy: weighted
    unchecked: true
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2]}}
)";

struct File {
    Scratch scratch;
    std::string path = (scratch.path / "fairway.yaml").string();
    explicit File(const std::string& text) { std::ofstream(path) << text; }
};

JsonValue json(const Ran& r) {
    INFO(r.said);
    auto v = JsonValue::parse(r.said);
    REQUIRE(v);
    return *v;
}

}

TEST_CASE("fairwayctl: what is unknown is named, with the nearest that is known") {
    struct Typed {
        const char *arguments, *answer;
    };
    for (const auto& [arguments, answer] : {
             Typed{"stauts", "fairwayctl: there is no command `stauts` (did you mean `status`?)\n"},
             Typed{"--socket /x stauts",
                   "fairwayctl: there is no command `stauts` (did you mean `status`?)\n"},
             Typed{"drain --reson x",
                   "fairwayctl: there is no option `--reson` (did you mean `--reason`?)\n"},
             Typed{"", "fairwayctl: A subcommand is required\n"},
             Typed{"approve", "fairwayctl: id is required\n"},
         }) {
        CAPTURE(arguments);
        const Ran r = ctl(arguments);
        CHECK(r.exit == 2);
        CHECK(r.said.substr(0, r.said.find('\n') + 1) == answer);
    }
    CHECK(ctl("--help").exit == 0);
    CHECK(ctl("--socket /nowhere/s status").exit == 3);
}

TEST_CASE("fairwayd: what is unknown is named, with the nearest that is known") {
    const Ran r = fairwayd("--cofnig x");
    CHECK(r.exit == 2);
    CHECK(r.said.starts_with("fairwayd: there is no option `--cofnig` (did you mean `--config`?)\n"));
    CHECK(fairwayd("--config").said.starts_with("fairwayd: --config needs a file\n"));
    CHECK(fairwayd("").said.starts_with("fairwayd: --config FILE is needed\n"));
    CHECK(fairwayd("--version").exit == 0);
}

TEST_CASE("check-config has a JSON for programs: good, bad and the keys") {
    const Ran well = ctl("--json check-config " + File(good).path);
    CHECK(well.exit == 0);
    CHECK(json(well).flag("accepted"));
    CHECK(json(well).number("services") == 1);
    CHECK(json(well).number("datacenters") == 2);

    const Ran ill = ctl("--json check-config " + File(std::string(good) + "bogus: 1\n").path);
    CHECK(ill.exit == 2);
    CHECK_FALSE(json(ill).flag("accepted"));
    const auto problem = json(ill).at("problems").items().at(0);
    CHECK(problem.text("severity") == "error");
    CHECK(problem.number("line") == 10);
    CHECK(problem.text("message").find("bogus") != std::string::npos);

    const Ran keys = ctl("--json check-config --keys");
    CHECK(keys.exit == 0);
    CHECK(json(keys).items().size() > 50);
    for (const auto& key : json(keys).items()) CHECK_FALSE(key.text("key").empty());
}

TEST_CASE("P13: explain tells of a configuration alone, with an assumed state") {
    const File file(R"(
zones: {example.com: {nameservers: {ns1: [127.0.0.1]}}}
datacenters: {east: {}, west: {}}
checks: {web: {type: tcp, port: 80}}
services:
  www.example.com:
    policy: {type: active_passive, order: [east, west]}
    application: web
    endpoints: {east: {addresses: [192.0.2.1]}, west: {addresses: [192.0.2.2]}}
)");
    const std::string ask = "--json explain www.example.com --client 203.0.113.1 --config " + file.path;
    const auto well = json(ctl(ask)), lost = json(ctl(ask + " --down east/www.example.com"));
    CHECK(well.at("answer").items().at(0).text("datacenter") == "east");
    CHECK(lost.at("answer").items().at(0).text("datacenter") == "west");
    bool dropped = false;
    for (const auto& l : lost.at("lines").items())
        dropped |= l.text("subject") == "east" && l.text("verdict") == "dropped";
    CHECK(dropped);
    CHECK(ctl("explain www.example.com --client 203.0.113.1 --config " + file.path).said.find("192.0.2.1") !=
          std::string::npos);
    CHECK(ctl("explain api.example.com --client 203.0.113.1 --config " + file.path).exit == 2);
    CHECK(ctl("explain www.example.com --client 203.0.113.1 --down east/www.example.com").exit == 2);
}

TEST_CASE("status: an alarm says of which service and datacenter, once") {
    Scratch scratch;
    const std::string path = (scratch.path / "s").string();
    HttpServer server(listen_unix(path), [](const HttpRequest&) {
        return HttpResponse{200, R"({"at":"2026-11-21T00:00:00Z","services":[],"alarms":[
            {"id":"all_down","severity":"critical","service":"shop.test","datacenter":"",
             "text":"nothing is fit","since":"2026-11-21T00:00:00Z"},
            {"id":"endpoint_unfit","severity":"warning","service":"shop.test","datacenter":"east",
             "text":"web: refused","since":"2026-11-21T00:00:00Z"},
            {"id":"drill","severity":"warning","service":"","datacenter":"east",
             "text":"east is played lost","since":"2026-11-21T00:00:00Z"}]})"};
    });
    const std::string said = ctl("--socket " + path + " status").said;
    INFO(said);
    CHECK(said.find("ALARM critical: shop.test: nothing is fit (all_down") != said.npos);
    CHECK(said.find("ALARM warning: shop.test, east: web: refused (") != said.npos);
    CHECK(said.find("ALARM warning: east is played lost (") != said.npos);
}
