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
            first, policies::Learned{}, Loader::Office{take, take, [this](const Asker& asker, const auto& r) {
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

TEST_CASE("what would take most of the services or zones away has to be forced") {
    Reloading r;
    const std::string more =
        "  shop.example.com: {policy: weighted, unchecked: true, endpoints: {east: {addresses: "
        "[192.0.2.1]}}}\n";
    r.write(good + more);
    REQUIRE(r.loader->reload({"ann", "here"}).get().accepted);
    r.write(good); // half of them is not more than half
    REQUIRE(r.loader->reload({"ann", "here"}).get().accepted);
    r.write_with("www.example.com:", "web.example.com:");
    const auto refused = r.loader->reload({"ann", "here"}).get();
    CHECK_FALSE(refused.accepted);
    CHECK(refused.message ==
          "it would remove 1 of 1 services: www.example.com; `fairwayctl reload --force` does "
          "it all the same; the running configuration stays");
    CHECK(r.adopted.size() == 2);
    CHECK(r.loader->reload({"ann", "here"}, true).get().accepted);
    CHECK(r.adopted.size() == 3);
    r.write("zones: {example.net: {nameservers: {ns1: [127.0.0.1]}}}\ndatacenters: {east: {}}\n"
            "dns: {listen: [\"127.0.0.1:5300\"]}\nservices: {web.example.net: {policy: weighted, unchecked: "
            "true, "
            "endpoints: {east: {addresses: [192.0.2.1]}}}}\n");
    CHECK_FALSE(r.loader->reload({"ann", "here"}).get().accepted);
}

TEST_CASE("what a reload would change is told, and nothing is changed") {
    Reloading r;
    const auto other = r.scratch.path / "other.yaml";
    std::string text = good;
    text.replace(text.find("192.0.2.2"), 9, "192.0.2.3");
    text.replace(text.find("{ns1: [127.0.0.1]}"), 18, "{ns1: [127.0.0.2]}");
    text.replace(text.find(":5300"), 5, ":5301");
    std::ofstream(other) << text;
    const auto p = r.loader->look_at(other).get();
    REQUIRE(p.model);
    CHECK(p.restart == "dns.listen");
    CHECK(p.loses == "");
    CHECK(p.keys.size() == 3);
    std::vector<std::string> names;
    for (const auto& n : p.names) names.push_back(n.name);
    CHECK(names == std::vector<std::string>{"example.com", "ns1.example.com"}); // a serial, an address
    std::ofstream(other) << "zones: 1";
    const auto bad = r.loader->look_at(other).get();
    CHECK_FALSE(bad.model);
    CHECK_FALSE(bad.problems.empty());
    CHECK(r.adopted.empty());
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
