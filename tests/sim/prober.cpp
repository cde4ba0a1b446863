#include "tests/sim/prober.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace fairway::sim {

SimProber::SimProber(SimLoop& loop, World& world, Random random, Sink sink, NameSink names)
    : loop_(loop), world_(world), random_(random), sink_(std::move(sink)), name_sink_(std::move(names)) {}

void SimProber::resolve(std::vector<std::string> names) {
    std::erase_if(names_, [&](auto& n) { return std::ranges::find(names, n.first) == names.end(); });
    for (const auto& name : names)
        if (auto& due = names_[name]; !due) due = loop_.after(20ms, [this, name] { ask(name); });
}

void SimProber::ask(const std::string& name) {
    auto spent = std::move(names_[name]); // alive until we are done: it is what called us
    NameObservation seen{.name = name, .v4 = true, .v6 = true, .at = loop_.now().mono};
    Duration again = 5s;
    if (auto found = world_.names.find(name); found != world_.names.end()) {
        const ForeignName& n = found->second;
        seen.v4 = !n.v4_fails && world_.uplink;
        seen.v6 = !n.v6_fails && world_.uplink;
        for (const IpAddress& a : n.addresses)
            if (a.family == Family::v4 ? seen.v4 : seen.v6) seen.addresses.push_back(a);
        seen.ttl = n.ttl;
        if (!seen.v4 || !seen.v6) seen.error = "timeout";
        else again = std::max(n.ttl, again);
    }
    names_[name] = loop_.after(again, [this, name] { ask(name); });
    name_sink_(seen);
}

void SimProber::assign(std::vector<probes::Assignment> members) {
    std::map<MemberId, std::unique_ptr<Look>> kept;
    std::vector<Look*> fresh;
    for (auto& m : members) {
        auto& look = kept[m.member];
        if (auto known = by_id_.find(m.member); known != by_id_.end()) {
            look = std::move(known->second);
            continue;
        }
        look = std::make_unique<Look>();
        look->member = m.member;
        look->target = &world_.aim(m.spec);
        look->spec = std::move(m.spec);
        fresh.push_back(look.get());
    }
    by_id_ = std::move(kept);
    forget_the_others();
    for (auto* look : fresh) begin(*look, now() + random_.between(0s, look->spec.check->timing.interval));
    arm();
}

void SimProber::forget_the_others() {
    std::set<const Look*> known;
    for (const auto& [id, look] : by_id_) known.insert(look.get());
    std::vector<Due> remaining;
    for (; !line_.empty(); line_.pop())
        if (known.contains(line_.top().look)) remaining.push_back(line_.top());
    for (const auto& due : remaining) line_.push(due);
}

void SimProber::begin(Look& look, Moment when) {
    look.begun = when;
    look.silence = false;
    look.again = false;
    schedule(look, when + world_.latency(*look.target));
}

void SimProber::look(std::span<const MemberId> members) {
    for (auto id : members)
        if (auto found = by_id_.find(id); found != by_id_.end()) at_once(*found->second);
    arm();
}

void SimProber::watched_end(const Target& target) {
    for (auto& [id, look] : by_id_)
        if (look->target == &target && look->spec.check->watch) at_once(*look);
    arm();
}

void SimProber::stall(Duration d) {
    auto end = now() + d;
    for (auto& [id, look] : by_id_) {
        bool begun = under_way(*look);
        if (!begun && look->begun < end) begin(*look, end);
        if (!begun) continue;
        look->silence = true;
        schedule(*look, end);
    }
    arm();
}

void SimProber::at_once(Look& look) {
    if (look.begun == now()) return;
    if (under_way(look)) {
        look.again = true;
        return;
    }
    begin(look, now());
}

// The moment an answer would arrive, or the timeout.
void SimProber::attend(Look& look) {
    auto timeout = look.spec.check->timing.timeout;
    if (look.silence) return result(look, saying::nothing());
    auto sight = world_.see(*look.target, now());
    if (sight.silent || sight.takes > timeout) {
        look.silence = true;
        return schedule(look, std::max(look.begun + timeout, now()));
    }
    if (look.begun + sight.takes > now()) return schedule(look, look.begun + sight.takes);
    result(look, std::move(sight));
}

void SimProber::result(Look& look, Sight sight) {
    ++looks_;
    ++look.target->looks;
    const auto& check = *look.spec.check;
    Observation seen;
    seen.member = look.member;
    seen.outcome = sight.outcome;
    seen.reason = sight.reason;
    seen.detail = std::move(sight.detail);
    seen.facts = std::move(sight.facts);
    seen.begun = loop_.instant(look.begun);
    seen.ended = loop_.instant(now());

    auto shortened = 1.0 - 0.1 * random_.unit(); // jitter shortens only: every look within one interval
    auto period = std::chrono::duration_cast<Duration>(check.timing.interval * shortened);
    auto next = std::max(look.begun + period, now());
    if (auto quick = next_look(look.cadence, seen, check)) next = now() + *quick;
    if (look.again) next = now();
    begin(look, next);
    sink_(std::array{std::move(seen)});
}

void SimProber::schedule(Look& look, Moment due) {
    look.order = ++orders_;
    line_.push({due, look.order, &look});
}

void SimProber::arm() {
    while (!line_.empty() && line_.top().order != line_.top().look->order) line_.pop();
    if (line_.empty()) return timer_.reset();
    auto due = line_.top().when;
    if (timer_ && armed_for_ == due) return;
    armed_for_ = due;
    timer_ = loop_.at(loop_.instant(due), [this] { run(); });
}

void SimProber::run() {
    auto spent = std::move(timer_); // alive until we are done: it is what called us
    while (!line_.empty()) {
        auto due = line_.top();
        bool current = due.order == due.look->order;
        if (current && due.when > now() && !loop_.leap(due.when)) break;
        line_.pop();
        if (current) attend(*due.look);
    }
    arm();
}

} // namespace fairway::sim
