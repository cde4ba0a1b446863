#include "tests/sim/swarm/life.hpp"

#include <algorithm>

namespace fairway::sim {

namespace {

/// When each thing happens, and where its draws begin.
struct Strike {
    Moment at;
    Random random;
};

std::vector<Strike> strikes_of(Random random) {
    std::vector<Strike> all;
    for (Moment at = 1min; at < trouble;) {
        at += random.chance(0.3) ? random.between(0s, 5s) : random.between(5s, 4min);
        all.push_back({at, random.fork()});
    }
    return all;
}

} // namespace

Lived live(const Script& script, const Watch::Invariant& invariant) {
    Random random(script.seed);
    const auto of_story = random.next();
    const auto strikes = strikes_of(random.fork());
    const auto settings = draw_settings(random, script.without);
    if (settings.services.empty()) return {};
    Story story(settings.yaml, of_story);
    Faults faults(story, settings);
    Watch watch(story, settings, faults, invariant);
    faults.before_restart = [&] { watch.before_restart(); };
    Lived out{.yaml = settings.yaml, .services = settings.services.size()};
    const auto problems = [&] { return watch.problems() + story.problems() + faults.wrong(); };
    const auto live_until = [&](Moment end) { // the worst of one second is seen at its end
        while (story.now() < end) {
            story.runs(std::min<Duration>(1s, end - story.now()));
            faults.look();
            watch.look();
            if (!out.broken && watch.problems().size() + story.problems().size() + faults.wrong().size() > 0)
                out.broken = story.now();
        }
    };
    std::string broken;
    try {
        for (unsigned i = 0; i < strikes.size(); ++i) {
            if (strikes[i].at > script.lasts) break;
            if (script.strikes && !std::ranges::binary_search(*script.strikes, i)) continue;
            live_until(strikes[i].at); // later than that, if one before took its time
            out.strikes.push_back(i);
            const auto restarted = faults.last_restart();
            faults.strike(strikes[i].random);
            if (faults.last_restart() == restarted) continue;
            story.runs(daemon::Controller::store_patience + 10ms); // the first answers may wait for the disk
            watch.after_start(faults.last_restart(), !faults.last_restart_long());
        }
        live_until(std::max<Moment>(script.lasts, story.now() + 1min));
        if (script.mended) {
            faults.mend_all();
            live_until(story.now() + recovery);
            watch.converged();
        }
    } catch (const std::exception& e) { broken = std::string("exception: ") + e.what() + "\n"; }
    out.problems = broken + problems();
    out.journal = story.journal_text();
    out.faults = faults.log();
    return out;
}

} // namespace fairway::sim
