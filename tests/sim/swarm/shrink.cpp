// From a failure of two hours and a hundred faults to the few that it takes.
#include "tests/sim/swarm/life.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace fairway::sim {

namespace {

class Shrinker {
  public:
    Shrinker(Script whole, const Watch::Invariant& invariant)
        : best_(std::move(whole)), invariant_(invariant) {
        const Lived all = live(best_, invariant_);
        kind_ = kind_of(all.problems);
        best_.strikes = all.strikes;
        broken_ = all.broken.value_or(best_.lasts);
    }

    Script run() {
        if (kind_.empty()) return best_;
        attempt([&](Script& s) {
            s.mended = false;
            s.lasts = std::min<Duration>(s.lasts, std::chrono::ceil<std::chrono::minutes>(broken_ + 1s));
            const Lived early = live(s, invariant_); // what would have happened later is not in it
            s.strikes = early.strikes;
        });
        for (bool smaller = true; smaller;) {
            smaller = fewer_strikes();
            smaller |= attempt([](Script& s) { s.without.groups = true; });
            smaller |= attempt([](Script& s) { s.without.rules = true; });
            for (unsigned i = 0; i < 4; ++i)
                smaller |= attempt([&](Script& s) { s.without.services.insert("s" + std::to_string(i)); });
        }
        return best_;
    }

  private:
    template<class Change> bool attempt(const Change& change) {
        Script smaller = best_;
        change(smaller);
        if (smaller == best_) return false;
        const Lived out = live(smaller, invariant_);
        if (out.services == 0 || kind_of(out.problems) != kind_) return false;
        best_ = std::move(smaller);
        return true;
    }

    /// Half of them, a quarter, ... and at last one by one: as delta debugging does (Zeller 2002).
    bool fewer_strikes() {
        bool any = false;
        for (std::size_t size = std::max<std::size_t>(1, best_.strikes->size() / 2); size > 0; size /= 2)
            for (std::size_t from = 0; from < best_.strikes->size();) {
                const bool gone = attempt([&](Script& s) {
                    const auto begin = s.strikes->begin() + static_cast<std::ptrdiff_t>(from);
                    const auto left = static_cast<std::size_t>(s.strikes->end() - begin);
                    s.strikes->erase(begin, begin + static_cast<std::ptrdiff_t>(std::min(size, left)));
                });
                any |= gone;
                if (!gone) from += size;
            }
        return any;
    }

    Script best_;
    const Watch::Invariant& invariant_;
    std::string kind_;
    Moment broken_{};
};

} // namespace

std::string kind_of(const std::string& problems) {
    const auto line = problems.substr(0, problems.find('\n'));
    std::string kind;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
        const bool number = std::ranges::any_of(word, [](unsigned char c) { return std::isdigit(c); });
        static constexpr std::array<std::string_view, 6> sites{"east", "west", "eu", "asia", "A:", "AAAA:"};
        const bool site = std::ranges::any_of(sites, [&](auto s) { return word.find(s) != word.npos; });
        if (!number && !site) kind += word + " ";
    }
    return kind;
}

Script shrink(const Script& script, const Watch::Invariant& invariant) {
    return Shrinker(script, invariant).run();
}

std::string arguments(const Script& script) {
    std::string text = "--seed " + std::to_string(script.seed), list;
    const auto add = [&](const std::string& what) { list += (list.empty() ? "" : ",") + what; };
    if (script.strikes) {
        for (unsigned i : *script.strikes) add(std::to_string(i));
        text += " --strikes " + (list.empty() ? "none" : list);
    }
    if (script.lasts != trouble) text += " --minutes " + std::to_string(script.lasts / 1min);
    list.clear();
    for (const auto& s : script.without.services) add(s);
    if (script.without.groups) add("groups");
    if (script.without.rules) add("rules");
    if (!script.mended) add("mending");
    return list.empty() ? text : text + " --without " + list;
}

std::string text(const Lived& o) {
    return "---- given\n" + o.yaml + "---- when\n" + o.faults + "---- then\n" + o.problems +
           "---- journal\n" + o.journal;
}

} // namespace fairway::sim
