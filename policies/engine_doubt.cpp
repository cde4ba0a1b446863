// The engine's part in self-doubt (L4): who is a witness, when to judge, what doubt holds and when it ends.
#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

Witness witness_of(const MemberState& m, MemberSlot slot, bool reference) {
    const Observation& last = m.health.last;
    return {.index = slot,
            .datacenter = m.datacenter.value_or(0),
            .reference = reference,
            .begun = last.begun,
            .silent = !last.answered()};
}

std::string world_text(const World& w) {
    return std::to_string(w.dark) + " of " + std::to_string(w.counting) + " foreign datacenters are silent" +
           (w.references_silent ? " and so are all references" : "");
}

} // namespace

std::vector<Witness> Engine::State::witnesses(Now now) const {
    std::vector<Witness> list;
    auto looked = [](const MemberState& m) { return m.health.last.outcome != Outcome::unknown; };
    for (MemberSlot slot = 0; slot < members.size(); ++slot) {
        const MemberState& m = members[slot];
        bool young = m.health.last_pass && now.mono - *m.health.last_pass <= witness_memory;
        // What Prometheus knows of a site is no answer of the site's.
        const bool hearsay = std::holds_alternative<PrometheusCheck>(m.spec.check->kind);
        if (m.datacenter && young && looked(m) && !hearsay) list.push_back(witness_of(m, slot, false));
    }
    for (MemberSlot slot : binding.references) // one may be a service's target too: it is a witness twice
        if (looked(members[slot])) list.push_back(witness_of(members[slot], slot, true));
    return list;
}

void Engine::State::judge_silence(Effects& out, Now now) {
    if (doubt.active || brink.empty()) return;
    std::erase_if(brink, [&](const Brink& b) {
        const MemberState& m = members[b.slot];
        return !m.health.silent_since || !m.health.works.at_the_brink(m.spec.check->timing);
    });
    if (brink.empty()) return;
    auto all = witnesses(now);
    for (Brink& b : brink) {
        MemberState& m = members[b.slot];
        bool settle = b.deadline && *b.deadline <= now.mono;
        World world = judge(all, model->node.datacenter, *m.health.silent_since, settle);
        if (!settle && waits_for_others(b, world, out, now)) continue;
        if (world.doubt) return enter_doubt(world, out, now);
        m.health.works.condemn(now.mono);
        out.transitions.push_back(member_transition(m, Change::member_down, Severity::warning,
                                                    m.health.recent_failures.back(), now));
        out.members.push_back(record_of(m, now));
        mark(m);
    }
    std::erase_if(brink,
                  [&](const Brink& b) { return members[b.slot].health.works.verdict == Readiness::unready; });
    judge_references(out, now);
}

/// Others are asked first, and all that were asked are waited for, at most one timeout long.
bool Engine::State::waits_for_others(Brink& b, const World& world, Effects& out, Now now) {
    const MemberState& m = members[b.slot];
    if (!b.deadline && !world.look.empty()) {
        b.deadline = now.mono + m.spec.check->timing.timeout;
        b.asked.assign(world.look.begin(), world.look.end());
        for (MemberSlot slot : b.asked) out.look.push_back(members[slot].id);
    }
    return std::ranges::any_of(
        b.asked, [&](MemberSlot slot) { return members[slot].health.last.begun < *m.health.silent_since; });
}

/// All references silent while the world is not dark: an alarm, no doubt.
void Engine::State::judge_references(Effects& out, Now now) {
    if (binding.references.empty()) return;
    bool silent = std::ranges::all_of(binding.references, [&](MemberSlot slot) {
        return members[slot].health.works.verdict == Readiness::unready && members[slot].health.silent_since;
    });
    if (silent == doubt.references_silent) return;
    doubt.references_silent = silent;
    doubt.references_since = now.mono;
    out.transitions.push_back(
        {.change = silent ? Change::references_silent : Change::references_answer,
         .severity = silent ? Severity::warning : Severity::info,
         .reason = silent ? "no reference answers, although datacenters do: mend self_doubt.references"
                          : "a reference answers again",
         .decided = now.mono});
}

void Engine::State::enter_doubt(const World& world, Effects& out, Now now) {
    doubt.active = true;
    doubt.since = now.mono;
    doubt.clear_since.reset();
    doubt.witnesses.clear();
    for (const Witness& w : witnesses(now))
        if (!w.reference) doubt.witnesses.push_back(w.index);
    for (const Brink& b : brink) members[b.slot].health.held = true;
    brink.clear();
    out.transitions.push_back(
        {.change = Change::self_doubt,
         .severity = Severity::critical,
         .reason = world_text(world) + ": this node doubts itself, silence takes nothing down",
         .decided = now.mono});
    mark_all();
}

void Engine::State::review_doubt(Effects& out, Now now) {
    if (!doubt.active) return judge_references(out, now);
    std::vector<Witness> fixed;
    for (MemberSlot slot : doubt.witnesses) fixed.push_back(witness_of(members[slot], slot, false));
    for (MemberSlot slot : binding.references) fixed.push_back(witness_of(members[slot], slot, true));
    World world = judge(fixed, model->node.datacenter, Instant{}, true);
    if (world.doubt) {
        doubt.clear_since.reset();
        return;
    }
    if (!doubt.clear_since) doubt.clear_since = now.mono;
    if (doubt_due() <= now.mono) leave_doubt(out, now);
}

void Engine::State::leave_doubt(Effects& out, Now now) {
    doubt.active = false;
    doubt.witnesses.clear();
    doubt.clear_since.reset();
    for (MemberState& m : members) { // `fall` begins anew for those that are still silent
        m.health.held = false;
        m.health.claim.roleless = 0;
        if (m.health.works.verdict == Readiness::unready || !m.health.silent_since) continue;
        m.health.works.fails = 0;
        m.health.silent_since.reset();
        m.health.first_failed.reset();
    }
    out.transitions.push_back({.change = Change::self_doubt_over,
                               .severity = Severity::info,
                               .reason = "answers are coming in again: silence counts from now on",
                               .decided = now.mono});
    mark_all();
}

Instant Engine::State::doubt_due() const {
    Instant due = Instant::max();
    for (const Brink& b : brink)
        if (b.deadline) due = std::min(due, *b.deadline);
    if (!doubt.active || !doubt.clear_since) return due;
    Duration interval =
        CheckTiming{}.interval; // the longest there is among the witnesses: each has been looked at once
    for (MemberSlot slot : doubt.witnesses)
        interval = std::max(interval, members[slot].spec.check->timing.interval);
    return std::min(due, *doubt.clear_since + interval);
}

} // namespace fairway::policies
