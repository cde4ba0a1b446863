#include "policies/member.hpp"

#include <algorithm>
#include <utility>

namespace fairway::policies {

Moved Run::pass(const CheckTiming& timing, Instant at) {
    if (passes == 0) begin = at;
    ++passes;
    fails = 0;
    if (verdict == Readiness::ready) return Moved::no;
    bool earned = passes >= timing.rise && at - begin >= timing.hold_down;
    if (verdict == Readiness::unready && !earned) return Moved::no;
    verdict = Readiness::ready;
    since = at;
    return Moved::up;
}

Moved Run::fail(const CheckTiming& timing, Instant at, bool decisive) {
    if (fails == 0) begin = at;
    ++fails;
    passes = 0;
    return decisive && at_the_brink(timing) ? condemn(at) : Moved::no;
}

Moved Run::condemn(Instant at) {
    if (verdict == Readiness::unready) return Moved::no;
    verdict = Readiness::unready;
    since = at;
    return Moved::down;
}

namespace {

std::string failure_text(const Observation& seen) {
    std::string text{to_string(seen.reason)};
    if (!seen.detail.empty()) text += ": " + seen.detail;
    return text;
}

/// Follows what a member says of its role. Returns whether anything but freshness changed. That one says
/// nothing of a role is news only where its kind could.
bool track_role(RoleTrack& t, const Observation& seen, const CheckKind& kind) {
    const Facts& f = seen.facts;
    t.was_primary |= f.role == Role::primary;
    if (f.role == Role::primary) t.unclaimed.reset();
    else if (!t.unclaimed) t.unclaimed = seen.begun;
    if (!f.role) ++t.roleless;
    else t.roleless = 0;
    if (!seen.answered()) return false;

    bool primary = f.role == Role::primary;
    bool changed = t.role != f.role || t.epoch != f.epoch || t.system != f.system ||
                   (primary && t.primary_looks < 2) ||
                   (!primary && t.otherwise < 16 && reports_of(kind).role);
    if (primary && t.primary_looks == 0) t.primary_first = seen.ended;
    t.primary_looks = primary ? t.primary_looks + 1 : 0;
    t.otherwise = primary ? 0 : t.otherwise + 1;
    t.role = f.role;
    t.begun = seen.begun;
    t.ended = seen.ended;
    if (f.role) {
        t.epoch = f.epoch;
        t.system = f.system;
    }
    return changed;
}

} // namespace

namespace {

/// A requirement on facts regained: a role is believed after one re-test, anything else as health is (L1).
CheckTiming regaining(const Check& check) {
    CheckTiming timing = check.timing;
    if (check.requirements.role) {
        timing.rise = std::min(timing.rise, 2u);
        timing.hold_down = {};
    }
    return timing;
}

Moved take(Run& run, bool ok, const CheckTiming& timing, Instant at) {
    return ok ? run.pass(timing, at) : run.fail(timing, at);
}

bool in_motion(const Run& run, const CheckTiming& timing) {
    return (run.fails > 0 && run.fails <= timing.fall) ||
           (run.verdict == Readiness::unready && run.passes > 0);
}

} // namespace

MemberHealth::Step MemberHealth::observe(const Observation& seen, const Check& check, bool doubt,
                                         Facts facts) {
    Step step;
    bool first = last.begun == Instant{};
    step.changed = first || std::exchange(awaited, false) || last.outcome != seen.outcome ||
                   last.facts.role != seen.facts.role;
    last = seen;
    if (seen.outcome == Outcome::unknown) return step;

    bool silent = is_silence(seen.reason);
    if (silent && doubt) {
        step.held = !std::exchange(held, true);
        step.changed |= step.held;
        return step;
    }
    const bool failed_before = works.fails > 0;
    step.changed |= std::exchange(held, false);
    step.changed |= track_role(claim, seen, check.kind);
    bool good = seen.outcome != Outcome::fail && facts.meet && facts.keep_up;
    step.changed |= good && failing();
    if (good) first_failed.reset();
    else if (!first_failed) first_failed = seen.begun;

    if (seen.outcome == Outcome::fail) fall(seen, check.timing, step);
    else rise(seen, check, facts, step);
    step.row = (works.fails > 0) != failed_before;
    step.changed |= step.row || step.ranked || step.moved(Moved::up) || step.moved(Moved::down);
    for (const Run* run : {&works, &meets, &keeps_up}) step.changed |= in_motion(*run, check.timing);
    return step;
}

void MemberHealth::fall(const Observation& seen, const CheckTiming& timing, Step& step) {
    bool silent = is_silence(seen.reason);
    if (silent && !silent_since) silent_since = seen.begun;
    if (works.fails == 0) recent_failures = {};
    std::rotate(recent_failures.begin(), recent_failures.begin() + 1, recent_failures.end());
    recent_failures.back() = failure_text(seen);
    step.works = works.fail(timing, seen.ended, !silent);
    step.judge = silent && works.at_the_brink(timing);
}

void MemberHealth::rise(const Observation& seen, const Check& check, Facts facts, Step& step) {
    silent_since.reset();
    last_pass = seen.ended;
    step.works = works.pass(check.timing, seen.ended);
    step.meets = take(meets, facts.meet, regaining(check), seen.ended);
    step.keeps_up = take(keeps_up, facts.keep_up, check.timing, seen.ended);
    step.ranked = take(whole, seen.outcome == Outcome::pass, check.timing, seen.ended) != Moved::no;
    step.ranked |= std::exchange(weight, seen.facts.weight) != seen.facts.weight;
}

Readiness MemberHealth::requirements() const {
    if (meets.verdict == Readiness::ready) return keeps_up.verdict;
    return meets.verdict;
}

Readiness MemberHealth::ready() const {
    return works.verdict == Readiness::ready ? requirements() : works.verdict;
}

} // namespace fairway::policies
