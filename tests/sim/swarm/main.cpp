// The swarm: small random worlds in which everything goes wrong, watched for what may never happen.
//
//     swarm                        the short run of the test suite
//     FAIRWAY_SWARM_SEEDS=5000     so many worlds instead; FAIRWAY_SWARM_FIRST=n begins at seed n
//     swarm --seed N               one world, told in full
#include "tests/sim/swarm/watch.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

using namespace fairway;
using namespace fairway::sim;

namespace {

constexpr auto trouble = 2h;     ///< simulated, of each world
constexpr auto recovery = 20min; ///< everything works: delayed failback, the brake and the hold-down included

struct Outcome {
    std::string problems, journal, faults, yaml;
};

/// The worst of one second is seen at its end: answers are judged one by one, the world once a second.
void watched(Story& story, Watch& watch, Duration d) {
    for (auto end = story.now() + d; story.now() < end;) {
        story.runs(std::min<Duration>(1s, end - story.now()));
        watch.look();
    }
}

Outcome live(std::uint64_t seed) {
    Random random(seed);
    auto settings = draw_settings(random);
    Story story(settings.yaml, random.next());
    Faults faults(story, settings, random.fork());
    Watch watch(story, settings, faults);
    faults.before_restart = [&] { watch.before_restart(); };
    std::string broken;
    try {
        watched(story, watch, 1min);
        while (story.now() < trouble) {
            watched(story, watch, random.chance(0.3) ? random.between(0s, 5s) : random.between(5s, 4min));
            auto restarted = faults.last_restart();
            faults.strike();
            if (faults.last_restart() == restarted) continue;
            story.runs(daemon::Controller::store_patience + 10ms); // the first answers may wait for the disk
            watch.after_start(faults.last_restart(), !faults.last_restart_long());
        }
        faults.mend_all();
        watched(story, watch, recovery);
        watch.converged();
    } catch (const std::exception& e) { broken = std::string("exception: ") + e.what() + "\n"; }
    return {broken + watch.problems() + story.problems(), story.journal_text(), faults.log(), settings.yaml};
}

std::uint64_t number(const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

int tell(std::uint64_t seed) {
    auto out = live(seed);
    std::printf("---- configuration\n%s---- what happened to it\n%s---- journal\n%s---- problems\n%s",
                out.yaml.c_str(), out.faults.c_str(), out.journal.c_str(), out.problems.c_str());
    return out.problems.empty() ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc == 3 && !std::strcmp(argv[1], "--seed")) return tell(std::strtoull(argv[2], nullptr, 10));
    auto first = number("FAIRWAY_SWARM_FIRST", 1), seeds = number("FAIRWAY_SWARM_SEEDS", 12);
    auto begun = std::chrono::steady_clock::now();
    unsigned failed = 0;
    for (auto seed = first; seed < first + seeds; ++seed) {
        auto out = live(seed);
        if (seed % 10 == 0 && live(seed).journal != out.journal)
            out.problems += "the same seed told another journal\n";
        if (out.problems.empty()) continue;
        ++failed;
        std::printf("seed %llu:\n%sagain, in full: %s --seed %llu\n\n", static_cast<unsigned long long>(seed),
                    out.problems.c_str(), argv[0], static_cast<unsigned long long>(seed));
    }
    auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    auto hours = static_cast<double>(seeds) *
                 std::chrono::duration<double, std::ratio<3600>>(trouble + recovery).count();
    std::printf("%llu worlds, %.0f simulated hours in %.1f s; %u failed\n",
                static_cast<unsigned long long>(seeds), hours, took, failed);
    return failed ? 1 : 0;
}
