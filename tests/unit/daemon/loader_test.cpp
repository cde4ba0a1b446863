// What a reload may change, and what needs a restart.
#include "daemon/loader.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace fairway;
using namespace fairway::daemon;

namespace {

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

struct Reloading {
    Scratch scratch;
    std::filesystem::path file = scratch.path / "fairway.yaml";
    std::vector<Loaded> adopted; // the loader thread's, until an answer
    std::vector<policies::CommandResult> refused;
    std::vector<std::string> askers;
    std::function<void()> in_between = [] {}; // before it is adopted
    bool in_time = true;
    std::unique_ptr<Loader> loader;

    Reloading() {
        write(good);
        Diagnostics problems;
        Loaded first = load_all(file, problems);
        INFO(problems.to_string());
        REQUIRE(first.model);
        auto take = [this](Loaded l) {
            in_between();
            adopted.push_back(std::move(l));
            return in_time;
        };
        loader = std::make_unique<Loader>(
            first, policies::Learned{},
            Loader::Office{take, take, [this](const Asker& asker, const auto& r) {
                               askers.push_back(asker.who);
                               if (!r.accepted) refused.push_back(r);
                           }});
    }
    void write(const std::string& text) const { std::ofstream(file) << text; }
    void write_with(std::string from, std::string to) const {
        std::string text = good;
        text.replace(text.find(from), from.size(), to);
        write(text);
    }
};

}

TEST_CASE("a good configuration is compiled and handed over") {
    Reloading r;
    r.write_with("192.0.2.2", "192.0.2.3");
    const auto result = r.loader->reload({"ann", "here"}).get();
    CHECK(result.accepted);
    CHECK(r.askers == std::vector<std::string>{"ann"});
    REQUIRE(r.adopted.size() == 1);
    CHECK(r.adopted[0].model->services.size() == 1);
    CHECK(r.adopted[0].names);
}

TEST_CASE("a bad configuration changes nothing, and every problem of it is in the answer") {
    Reloading r;
    r.write_with("policy: weighted", "polcy: weighted\n    bogus: 1");
    const auto result = r.loader->reload({"ann", "here"}).get();
    CHECK_FALSE(result.accepted);
    CHECK(result.message.find("the running configuration stays") != std::string::npos);
    CHECK(result.details.size() >= 2);
    CHECK(result.details[0].find("fairway.yaml:") != std::string::npos);
    CHECK(r.adopted.empty());
    CHECK(r.refused.size() == 1);
}

TEST_CASE("a reload that fails in any other way is told too, and the loader lives on") {
    Reloading r;
    r.in_between = [] { throw std::runtime_error("out of memory"); };
    CHECK(r.loader->reload({"ann", "here"}).get().message ==
          "out of memory; the running configuration stays");
    r.in_between = [] {};
    r.in_time = false;
    CHECK(r.loader->reload({"ann", "here"}).get().message.find("did not take it over in time") !=
          std::string::npos);
    CHECK(r.refused.size() == 2);
    r.in_time = true;
    CHECK(r.loader->reload({"ann", "here"}).get().accepted);
}

TEST_CASE("what sockets and files in use depend on needs a restart") {
    Reloading r;
    std::string key;
    SUBCASE("") { r.write_with("127.0.0.1:5300", "127.0.0.1:5301"), key = "dns.listen"; }
    SUBCASE("") {
        r.write(std::string(good) + "control: {socket: /tmp/other.sock}\n"), key = "control.socket";
    }
    SUBCASE("") { r.write(std::string(good) + "state: {directory: /tmp/other}\n"), key = "state.directory"; }
    SUBCASE("") { r.write(std::string(good) + "http: {listen: \"127.0.0.1:1\"}\n"), key = "http.listen"; }
    const auto result = r.loader->reload({"ann", "here"}).get();
    CHECK_FALSE(result.accepted);
    CHECK(result.message.find(key + " needs a restart") != std::string::npos);
    CHECK(r.adopted.empty());
}

TEST_CASE("reloads come one after the other, and the end waits for the one under way") {
    Reloading r;
    auto first = r.loader->reload({"ann", "here"}), second = r.loader->reload({"ann", "here"});
    CHECK(first.get().accepted);
    CHECK(second.get().accepted);
    r.loader.reset();
    CHECK(r.adopted.size() == 2);
}
