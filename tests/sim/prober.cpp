#include "tests/sim/prober.hpp"

#include <algorithm>
#include <iterator>

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
        look->place = line_.insert(line_.begin(), {now(), look.get()});
        fresh.push_back(look.get());
    }
    for (const auto& [id, gone] : by_id_)
        if (gone) line_.erase(gone->place);
    by_id_ = std::move(kept);
    for (auto* look : fresh) begin(*look, now() + random_.between(0s, look->spec.check->timing.interval));
    arm();
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
    Observation seen;
    if (look.silence) {
        saying::nothing().into(seen);
        return result(look, seen);
    }
    auto timeout = look.spec.check->timing.timeout;
    auto takes = world_.see(*look.target, now(), seen);
    if (takes > timeout) {
        look.silence = true;
        return schedule(look, std::max(look.begun + timeout, now()));
    }
    if (look.begun + takes > now()) return schedule(look, look.begun + takes);
    result(look, seen);
}

void SimProber::result(Look& look, Observation& seen) {
    ++looks_;
    ++look.target->looks;
    const auto& check = *look.spec.check;
    seen.member = look.member;
    seen.begun = loop_.instant(look.begun);
    seen.ended = loop_.instant(now());

    auto shortened = 1.0 - 0.1 * random_.unit(); // jitter shortens only: every look within one interval
    auto period = std::chrono::duration_cast<Duration>(check.timing.interval * shortened);
    auto next = std::max(look.begun + period, now());
    if (auto quick = next_look(look.cadence, seen, check)) next = now() + *quick;
    if (look.again) next = now();
    begin(look, next);
    sink_({&seen, 1});
}

// Nearly all are due about one interval ahead, behind nearly all others: their place is near the end.
void SimProber::schedule(Look& look, Moment due) {
    const auto passes = [&](Line::iterator other) { return other == look.place || other->when > due; };
    auto behind = line_.end();
    while (behind != line_.begin() && passes(std::prev(behind))) --behind;
    look.place->when = due;
    line_.splice(behind, line_, look.place);
}

void SimProber::arm() {
    if (line_.empty()) return timer_.reset();
    auto due = line_.front().when;
    if (timer_ && armed_for_ == due) return;
    armed_for_ = due;
    timer_ = loop_.at(loop_.instant(due), [this] { run(); });
}

void SimProber::run() {
    auto spent = std::move(timer_); // alive until we are done: it is what called us
    while (!line_.empty()) {
        auto [when, look] = line_.front();
        if (when > now() && !loop_.leap(when)) break;
        attend(*look);
    }
    arm();
}

} // namespace fairway::sim
