// The swarm: small random worlds in which everything goes wrong, watched for what may never happen.
//
//     swarm                        the short run of the test suite
//     FAIRWAY_SWARM_SEEDS=5000     so many worlds instead; FAIRWAY_SWARM_FIRST=n begins at seed n
//     swarm --seed N [--minutes 31] [--strikes 3,17|none] [--without s1,groups,rules,mending]    one world,
//     told in full
//
// A world that fails is told as the smallest story that fails in the same way, with the arguments that tell
// it.
#include "tests/sim/swarm/life.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>

using namespace fairway;
using namespace fairway::sim;

namespace {

std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

std::vector<std::string> parts(const std::string& list) {
    std::vector<std::string> all;
    std::istringstream text(list);
    for (std::string part; std::getline(text, part, ',');) all.push_back(part);
    return all;
}

Script script_of(int argc, char** argv) {
    Script s;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string name = argv[i], value = argv[i + 1];
        if (name == "--seed") s.seed = std::stoull(value);
        if (name == "--minutes") s.lasts = std::chrono::minutes(std::stoi(value));
        if (name == "--strikes") {
            s.strikes.emplace();
            for (const auto& n : parts(value == "none" ? "" : value))
                s.strikes->push_back(static_cast<unsigned>(std::stoul(n)));
        }
        if (name != "--without") continue;
        for (const auto& what : parts(value)) {
            if (what == "groups") s.without.groups = true;
            else if (what == "rules") s.without.rules = true;
            else if (what == "mending") s.mended = false;
            else s.without.services.insert(what);
        }
    }
    return s;
}

int tell(const Script& script) {
    const Lived out = live(script);
    std::printf("%s", text(out).c_str());
    return out.problems.empty() ? 0 : 1;
}

void tell_failure(const Script& script, const std::string& problems, const char* program) {
    std::printf("seed %llu:\n%s", static_cast<unsigned long long>(script.seed), problems.c_str());
    const Script small = shrink(script);
    std::printf("\nthe smallest story that fails so: %s %s\n%s\n", program, arguments(small).c_str(),
                text(live(small)).c_str());
}

} // namespace

int main(int argc, char** argv) {
    if (argc > 2) return tell(script_of(argc, argv));
    const auto first = number("FAIRWAY_SWARM_FIRST", 1), seeds = number("FAIRWAY_SWARM_SEEDS", 12);
    const auto begun = std::chrono::steady_clock::now();
    unsigned failed = 0;
    for (auto seed = first; seed < first + seeds; ++seed) {
        const Script script{.seed = seed};
        Lived out = live(script);
        const bool same = seed % 10 != 0 || live(script).journal == out.journal;
        if (!same) out.problems += "the same seed told another journal\n";
        if (out.problems.empty()) continue;
        ++failed;
        if (failed <= 5) tell_failure(script, out.problems, argv[0]); // the cause of many is seldom a sixth
        else std::printf("seed %llu:\n%s", static_cast<unsigned long long>(seed), out.problems.c_str());
        std::fflush(stdout);
    }
    const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    const auto hours = static_cast<double>(seeds) *
                       std::chrono::duration<double, std::ratio<3600>>(trouble + recovery).count();
    std::printf("%llu worlds, %.0f simulated hours in %.1f s; %u failed\n",
                static_cast<unsigned long long>(seeds), hours, took, failed);
    return failed ? 1 : 0;
}
