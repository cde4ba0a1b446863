#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

void Effects::append(Effects other) {
    auto move_all = [](auto& to, auto& from) {
        to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    move_all(transitions, other.transitions);
    move_all(plans, other.plans);
    move_all(look, other.look);
    move_all(hooks, other.hooks);
    move_all(services, other.services);
    move_all(members, other.members);
    move_all(latched, other.latched);
    move_all(urgent, other.urgent);
    overrides |= other.overrides;
    aliases |= other.aliases;
    members_changed |= other.members_changed;
}

bool Effects::empty() const {
    return transitions.empty() && plans.empty() && look.empty() && hooks.empty() && services.empty() &&
           members.empty() && !overrides && !aliases && !members_changed;
}

Engine::Engine(ModelPtr model, const Restored& restored, Now now) : state_(std::make_unique<State>()) {
    state_->started = now.mono;
    state_->adopt(std::move(model), restored, now, {}, {}, nullptr);
    state_->restore(restored, now);
    state_->adopt_drill(now);
}

Engine Engine::copy() const { return Engine(std::make_unique<State>(*state_)); }
Engine::Engine(std::unique_ptr<State> state) : state_(std::move(state)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

// ---- stepping

MemberRecord record_of(const MemberState& m, Now now) {
    const Run& w = m.health.works;
    MemberRecord r{.key = m.spec.key(),
                   .up = w.verdict == Readiness::ready,
                   .since = now.wall_at(w.since),
                   .passes = w.passes,
                   .fails = w.fails,
                   .run_since = now.wall_at(w.begin),
                   .degraded = m.health.whole.verdict == Readiness::unready,
                   .weight = m.health.weight};
    const auto held = [](const Run& run) {
        return run.verdict == Readiness::undecided ? std::nullopt
                                                   : std::optional(run.verdict == Readiness::ready);
    };
    r.requirements_hold = held(m.health.meets);
    r.keeps_up = held(m.health.keeps_up);
    return r;
}

Transition member_transition(const MemberState& m, Change change, Severity severity, std::string reason,
                             Now now) {
    Transition t{.change = change,
                 .severity = severity,
                 .datacenter = m.spec.datacenter,
                 .subject = m.spec.check->name + " " + m.spec.target_text(),
                 .reason = std::move(reason),
                 .fault = m.health.first_failed,
                 .decided = now.mono};
    for (const std::string& f : m.health.recent_failures)
        if (!f.empty()) t.evidence.push_back(f);
    return t;
}

ServiceContext Engine::State::context(ServiceIndex s, Now now) const {
    const DrillReport* played = drill && !drill->over ? &drill->report : nullptr;
    return {*model, model->services[s], binding.services[s], members, overrides, doubt.active, now, played};
}

void Engine::State::mark(ServiceIndex s) {
    if (!std::exchange(dirty[s], 1)) marked.push_back(s);
}

void Engine::State::mark(const MemberState& m) {
    for (ServiceIndex s : m.services) mark(s);
}

void Engine::State::mark_all() {
    for (ServiceIndex s = 0; s < services.size(); ++s) mark(s);
}

Effects Engine::State::turn(ServiceIndex s, Now now) {
    if (model->services[s].group) return turn_together(model->groups[*model->services[s].group], now);
    if (services[s].due) dues.erase({*services[s].due, s});
    Effects out = take_turn(services[s], context(s, now));
    if (services[s].due) dues.insert({*services[s].due, s});
    for (MemberId id : out.look) members[static_cast<std::size_t>(slot_of[id])].health.awaited = true;
    return out;
}

bool Engine::State::idle(Now now) const {
    return marked.empty() && overrides.empty() && aliases.empty() &&
           (dues.empty() || dues.begin()->first > now.mono);
}

Effects Engine::State::settle(Now now) {
    Effects out;
    expire_overrides(out, now);
    for (auto due = dues.begin(); due != dues.end() && due->first <= now.mono; ++due) mark(due->second);
    out.append(turns(now));
    if (review_aliases(out, now)) out.append(turns(now));
    return out;
}

Effects Engine::State::turn_together(const Group& group, Now now) {
    std::vector<ServiceContext> contexts;
    std::vector<Turn> turned;
    for (ServiceIndex s : group.services) contexts.push_back(context(s, now));
    for (std::size_t i = 0; i < contexts.size(); ++i) {
        ServiceState& s = services[group.services[i]];
        if (s.due) dues.erase({*s.due, s.index});
        turned.push_back(begin_turn(s, contexts[i]));
    }
    join(group, turned);
    for (Turn& t : turned) {
        if (t.led) go_along(t, turned.front());
        decide(t);
    }
    Effects out;
    for (Turn& t : turned) {
        out.append(end_turn(t));
        dirty[t.s.index] = 0;
        if (t.s.due) dues.insert({*t.s.due, t.s.index});
    }
    for (MemberId id : out.look) members[static_cast<std::size_t>(slot_of[id])].health.awaited = true;
    return out;
}

Effects Engine::State::turns(Now now) {
    Effects out;
    std::vector<ServiceIndex> todo = std::exchange(marked, {});
    std::ranges::sort(todo); // the order of the configuration, whatever stirred them
    for (ServiceIndex s : todo)
        if (std::exchange(dirty[s], 0)) out.append(turn(s, now)); // else it went with its group
    return out;
}

/// Reckons lag from positions and asks whether the facts satisfy the check.
MemberHealth::Facts Engine::State::judge_facts(MemberState& m, const Observation& seen) {
    const Facts& f = seen.facts;
    if (f.position) {
        if (m.position && *f.position > *m.position) m.advanced = seen.ended;
        m.position = f.position;
    }
    if (f.position && !f.system.empty()) {
        if (f.role == Role::primary) tracks[f.system].sample(seen.ended, *f.position, f.epoch);
        else m.lag = tracks[f.system].behind(*f.position);
    } else if (f.lag) { // as the product reckons it; one that says nothing leaves what it said last (L16)
        m.lag = Lag{.time = *f.lag, .sampled = seen.ended};
    }
    if (f.role == Role::primary) m.lag.reset();
    else if (m.lag) m.lags.note(seen.ended, m.lag->time);
    if (f.behind) m.lags.note(seen.ended, *f.behind);
    if (f.replicates == false) m.unlinked = m.unlinked.value_or(seen.ended);
    else if (f.replicates) m.unlinked.reset();
    const Requirements& want = m.spec.check->requirements;
    auto lag = m.lag ? std::optional(m.lag->time) : f.lag;
    bool role = !want.role || f.role == want.role, quorum = !want.quorum || f.quorum != false;
    // A standby whose replication stands falls behind by nobody knows how much: that is within no limit (L1).
    bool stands = seen.reason == Reason::lag && f.role == Role::standby && !f.lag;
    bool keep_up = !want.max_lag || (!stands && (!lag || *lag <= *want.max_lag));
    return {.meet = role && quorum, .keep_up = keep_up};
}

/// True: it says another load than before.
bool Engine::State::note_load(MemberState& m, const Observation& seen) {
    const auto said = reported_load(seen, *m.spec.check);
    if (!said) return false;
    m.load_at = seen.ended;
    return std::exchange(m.load, said) != said;
}

void Engine::State::take(const Observation& seen, Effects& out, Now now) {
    if (seen.member >= slot_of.size() || slot_of[seen.member] < 0) return; // of a target no longer configured
    auto slot = static_cast<MemberSlot>(slot_of[seen.member]);
    MemberState& m = members[slot];
    if (played_lost(m) && seen.outcome == Outcome::fail && !drill->report.seen)
        drill->report.seen = seen.ended - drill->report.begun;
    bool passed = seen.outcome == Outcome::pass || seen.outcome == Outcome::degraded;
    const auto replicated = m.health.last.facts.replicates;
    MemberHealth::Facts facts = passed ? judge_facts(m, seen) : MemberHealth::Facts{};
    const auto step = m.health.observe(seen, *m.spec.check, doubt.active, facts);
    if (step.judge && std::ranges::none_of(brink, [&](auto& b) { return b.slot == slot; }))
        brink.push_back({.slot = slot});
    const bool loaded = note_load(m, seen);
    if (step.changed || loaded || seen.facts.replicates != replicated) mark(m);
    if (step.changed) tell(m, seen, step, out, now);
}

/// What a result has changed of a member: for people, and for a restart.
void Engine::State::tell(const MemberState& m, const Observation& seen, const MemberHealth::Step& step,
                         Effects& out, Now now) {
    if (step.moved(Moved::down)) {
        auto why = step.works == Moved::down ? m.health.recent_failures.back()
                                             : "requirements not met: " + seen.facts.to_string();
        out.transitions.push_back(member_transition(m, Change::member_down, Severity::warning, why, now));
    } else if (step.moved(Moved::up)) {
        out.transitions.push_back(member_transition(m, Change::member_up, Severity::info, "passes", now));
    } else if (step.held) {
        out.transitions.push_back(member_transition(m, Change::member_held, Severity::info,
                                                    "silent, and not believed: self-doubt", now));
    }
    const Run& works = m.health.works;
    if (works.verdict == Readiness::undecided) return; // it starts anew after a restart
    bool risen =
        works.verdict == Readiness::unready && works.passes == m.spec.check->timing.rise; // L10 may use it
    if (step.moved(Moved::up) || step.moved(Moved::down) || step.row || step.ranked || risen)
        out.members.push_back(record_of(m, now));
}

Effects Engine::start(Now now) {
    Effects out;
    state_->follow_clock(out, now);
    state_->review_freezes(out, now);
    state_->mark_all();
    out.append(state_->settle(now));
    // Too old for this start is too old for the next, however soon it comes.
    std::ranges::move(std::exchange(state_->outdated, {}), std::back_inserter(out.members));
    out.plans.clear(); // every plan is new to the world, whatever it is
    for (ServiceIndex s = 0; s < state_->services.size(); ++s) out.plans.push_back(s);
    return out;
}

Effects Engine::observe(std::span<const Observation> batch, Now now) {
    Effects out;
    state_->follow_clock(out, now);
    for (const Observation& seen : batch) state_->take(seen, out, now);
    state_->weigh_silence(out, now);
    if (state_->idle(now)) return out;
    out.append(state_->settle(now));
    state_->review_drill(out, now);
    state_->quiet_maintenance(out, now);
    return out;
}

Effects Engine::tick(Now now) {
    Effects out;
    state_->follow_clock(out, now);
    state_->weigh_silence(out, now);
    out.append(state_->settle(now));
    state_->review_drill(out, now);
    state_->quiet_maintenance(out, now);
    return out;
}

Effects Engine::hook_ended(const HookResult& result, Now now) {
    auto& st = *state_;
    const auto index = st.model->find_titled(result.service);
    if (!index) return {};
    ServiceState& s = st.services[*index];
    if (result.step == Hook::Step::rejoin && s.rejoin && s.rejoin_running &&
        s.rejoin->switch_id == result.switch_id) {
        Effects out;
        out.transitions.push_back(rejoin_ended(s, st.model->services[*index], result, now));
        out.services.push_back(record_of(s, *st.model, now));
        out.append(st.turn(*index, now));
        return out;
    }
    if (s.orphan == result.switch_id) s.orphan.clear();
    if (!s.running) return st.turn(*index, now);
    ServiceContext c = st.context(*index, now);
    auto claims = claims_of(c);
    RunbookStep step = policies::hook_ended(*s.running, s.hook_running, result, runbook_view(s, c, claims));
    Effects out;
    out.transitions = std::move(step.transitions);
    out.hooks = std::move(step.hooks);
    if (step.ended) s.running.reset();
    if (step.changed) out.services.push_back(record_of(s, *st.model, now));
    out.append(st.turn(*index, now));
    return out;
}
Instant Engine::next_due() const {
    Instant due = std::min(state_->doubt_due(), state_->alias_due());
    if (!state_->dues.empty()) due = std::min(due, state_->dues.begin()->first);
    if (const auto& d = state_->drill; d && !d->over)
        due = std::min(due, d->report.begun + (d->report.until - d->report.since));
    return due;
}

const Model& Engine::model() const { return *state_->model; }
std::span<const Member> Engine::members() const { return state_->told; }
const AnswerPlan& Engine::plan(ServiceIndex s) const { return state_->services[s].plan; }
std::span<const Override> Engine::overrides() const { return state_->overrides; }

} // namespace fairway::policies
