#include "tests/sim/prober.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace fairway::sim {

SimProber::SimProber(SimLoop& loop, World& world, Random random, Sink sink)
    : loop_(loop), world_(world), random_(random), sink_(std::move(sink)) {}

void SimProber::assign(std::vector<probes::Assignment> members) {
    std::map<MemberId, std::unique_ptr<Look>> kept;
    heap_.clear();
    for (auto& m : members) {
        auto known = by_id_.find(m.member);
        auto& look = kept[m.member];
        if (known != by_id_.end()) {
            look = std::move(known->second);
        } else {
            look = std::make_unique<Look>();
            look->member = m.member;
            look->target = &world_.aim(m.spec);
            look->spec = std::move(m.spec);
            begin(*look, now() + random_.between(0s, look->spec.check->timing.interval));
        }
        look->heap_place = heap_.size();
        heap_.push_back(look.get());
    }
    by_id_ = std::move(kept);
    heapify();
    arm();
}

void SimProber::begin(Look& look, Moment when) {
    look.begun = when;
    look.silence = false;
    look.again = false;
    look.due = when + world_.latency(*look.target);
    look.order = ++orders_;
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
        if (begun) look->silence = true;
        schedule(*look, begun ? end : look->due);
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
    schedule(look, look.due);
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
    result(look, sight);
}

void SimProber::result(Look& look, const Sight& sight) {
    ++looks_;
    ++look.target->looks;
    const auto& check = *look.spec.check;
    Observation seen;
    seen.member = look.member;
    seen.outcome = sight.outcome;
    seen.reason = sight.reason;
    seen.detail = sight.detail;
    seen.facts = sight.facts;
    seen.begun = loop_.instant(look.begun);
    seen.ended = loop_.now().mono;

    auto shortened = 1.0 - 0.1 * random_.unit(); // jitter shortens only: every look within one interval
    auto period = std::chrono::duration_cast<Duration>(check.timing.interval * shortened);
    auto next = std::max(look.begun + period, now());
    if (auto quick = next_look(look.cadence, seen, check)) next = now() + *quick;
    if (look.again) next = now();
    begin(look, next);
    schedule(look, look.due);
    sink_(std::array{std::move(seen)});
}

void SimProber::schedule(Look& look, Moment due) {
    look.due = due;
    look.order = ++orders_;
    sift_up(look.heap_place);
    sift_down(look.heap_place);
}

void SimProber::put(std::size_t place, Look* look) {
    heap_[place] = look;
    look->heap_place = place;
}

namespace {
auto rank(const auto& look) { return std::tie(look.due, look.order); }
}

void SimProber::sift_up(std::size_t place) {
    auto* look = heap_[place];
    for (; place > 0 && rank(*look) < rank(*heap_[(place - 1) / 2]); place = (place - 1) / 2)
        put(place, heap_[(place - 1) / 2]);
    put(place, look);
}

void SimProber::sift_down(std::size_t place) {
    auto* look = heap_[place];
    for (;;) {
        auto child = 2 * place + 1;
        if (child >= heap_.size()) break;
        if (child + 1 < heap_.size() && rank(*heap_[child + 1]) < rank(*heap_[child])) ++child;
        if (rank(*look) <= rank(*heap_[child])) break;
        put(place, heap_[child]);
        place = child;
    }
    put(place, look);
}

void SimProber::heapify() {
    for (auto place = heap_.size() / 2; place-- > 0;) sift_down(place);
}

void SimProber::arm() {
    if (heap_.empty()) return timer_.reset();
    auto due = heap_.front()->due;
    if (timer_ && armed_for_ == due) return;
    armed_for_ = due;
    timer_ = loop_.at(loop_.instant(due), [this] { run(); });
}

void SimProber::run() {
    auto spent = std::move(timer_); // alive until we are done: it is what called us
    while (!heap_.empty() && heap_.front()->due <= now()) attend(*heap_.front());
    arm();
}

} // namespace fairway::sim
