// How long one simulated hour takes: the price of telling stories. 200 members at the default interval of 2
// s.
#include "tests/sim/story.hpp"

#include <chrono>
#include <cstdio>

using namespace fairway::sim;
using namespace std::chrono_literals;

int main() {
    std::string yaml = "checks: {web: {type: http, port: 8080, path: /healthz}}\n"
                       "datacenters: {east: {region: a}, west: {region: b}}\nservices:\n";
    for (int i = 0; i < 100; ++i) {
        auto n = std::to_string(i);
        yaml += "  s" + n +
                ".gtm.example.com:\n    policy: weighted\n    application: web\n    endpoints:\n" +
                "      east: {addresses: [10.1.0." + n + "]}\n      west: {addresses: [10.2.0." + n + "]}\n";
    }
    Story story(yaml);
    story.runs(1min);
    auto looks = story.looks();
    auto begun = std::chrono::steady_clock::now();
    story.runs(1h);
    auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
    auto count = static_cast<double>(story.looks() - looks);
    std::printf("%zu members, one simulated hour: %.0f ms, %.0f looks, %.0f ns a look\n", story.members(),
                took, count, took * 1e6 / count);
}
