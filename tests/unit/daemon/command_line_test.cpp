// The two programs as they are typed: what is wrong is named, the nearest right word too, and the exit code
// says which kind it was.
#include "daemon/json_value.hpp"
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
