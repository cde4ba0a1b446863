#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {
/// For this long after it was known health is a truth; later it is a hint (L20).
constexpr Duration health_is_true_for = 60s;
} // namespace

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

// ---- making

namespace {

MemberId next_id(std::vector<std::int32_t>& slot_of) {
    slot_of.push_back(-1);
    return static_cast<MemberId>(slot_of.size() - 1);
}

void depend(std::vector<MemberState>& members, const BoundEndpoint& bound, ServiceIndex s) {
    for (auto* tier : {&bound.application, &bound.stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members)
                if (auto& list = members[slot].services; list.empty() || list.back() != s) list.push_back(s);
}

std::optional<EndpointIndex> same_site(const Model& old_model, const Service& old_service, EndpointIndex e,
                                       const Model& model, const Service& service) {
    const std::string& dc = old_model.datacenter_of(old_service, e).name;
    for (EndpointIndex n = 0; n < service.endpoints.size(); ++n)
        if (model.datacenter_of(service, n).name == dc) return n;
    return std::nullopt;
}

/// The plan in the new model's endpoint numbers, so that only what really changed is told.
AnswerPlan moved_plan(const ServiceState& from, const Model& old_model, const ServiceState& to,
                      const Model& model) {
    AnswerPlan plan = from.plan;
    const Service &before = old_model.services[from.index], &after = model.services[to.index];
    std::vector<Choice> left;
    std::vector<std::uint16_t> number(plan.choices.size(),
                                      0); // clients of a site that is gone get the first there is
    for (std::size_t i = 0; i < plan.choices.size(); ++i) {
        Choice k = plan.choices[i];
        auto e = k.endpoint == no_endpoint ? std::optional(no_endpoint)
                                           : same_site(old_model, before, k.endpoint, model, after);
        if (!e) continue;
        k.endpoint = *e;
        number[i] = static_cast<std::uint16_t>(left.size());
        left.push_back(std::move(k));
    }
    bool nothing_left = left.empty() && !plan.choices.empty();
    if (nothing_left) return {};
    plan.choices = std::move(left);
    if (plan.kind == AnswerPlan::Kind::by_client)
        for (auto& k : plan.by_client) k = number[k];
    for (Pool& pool : plan.pools)
        for (Pool::Member& m : pool.members) m.choice = number[m.choice];
    if (!plan.by_client.empty() &&
        old_model.clients.classes != model.clients.classes) // what is known of nobody
        plan.by_client.assign(model.clients.classes.size(), plan.by_client.front());
    return plan;
}

/// Which sites a plan answers, in the order of their names.
std::set<std::string> sites_of(const AnswerPlan& plan, const Model& model, ServiceIndex s) {
    std::set<std::string> sites;
    for (const Choice& k : plan.choices)
        if (k.endpoint != no_endpoint) sites.insert(model.datacenter_of(model.services[s], k.endpoint).name);
    return sites;
}

std::string joined(const std::set<std::string>& sites) {
    std::string text;
    for (const std::string& s : sites) text += (text.empty() ? "" : ", ") + s;
    return text.empty() ? "nothing" : text;
}

/// A reload that takes a site out of a service changes its answer: that has a transition too.
void tell_reloaded(Effects& out, const Model& old_model, const std::vector<ServiceState>& old_services,
                   const Model& model, const std::vector<ServiceState>& services, Now now) {
    for (const ServiceState& s : services) {
        const Name& name = model.services[s.index].name;
        auto o = old_model.find_service(name);
        bool told = std::ranges::any_of(out.transitions, [&](auto& t) {
            return t.change == Change::plan_changed && t.service == name.to_string();
        });
        if (!o || told) continue;
        auto before = sites_of(old_services[*o].plan, old_model, *o),
             after = sites_of(s.plan, model, s.index);
        if (before != after)
            out.transitions.push_back(
                {.change = Change::plan_changed,
                 .service = name.to_string(),
                 .from = joined(before),
                 .to = joined(after),
                 .reason = s.frozen ? "the configuration no longer has what is answered; a freeze keeps it"
                                    : "the configuration has changed",
                 .decided = now.mono});
    }
}

/// Carries the latch, the followed claim, the running switch and the rest over to the same service of a new
/// model.
void carry_over(ServiceState& to, ServiceState& from, const Model& old_model, const Model& model, Now now) {
    restore(to, record_of(from, old_model, now), model, now);
    to.keeps_plan = from.served || from.keeps_plan;
    to.warm = to.keeps_plan || from.warm;
    to.all_down = from.all_down;
    to.all_excluded = from.all_excluded;
    to.all_down_since = from.all_down_since;
    to.awaiting_failback = from.awaiting_failback;
    to.partial_failure = from.partial_failure;
    if (!from.frozen) to.plan = moved_plan(from, old_model, to, model); // a frozen one is as it was
    else if (!to.plan.by_client.empty() && old_model.clients.classes != model.clients.classes) {
        to.plan.by_client.assign(model.clients.classes.size(), to.plan.by_client.front());
        to.frozen = to.plan;
    }
    if (!to.keeps_plan) to.born = from.born;
    to.plan_since = from.plan_since;
    to.reason = from.reason;
    to.hook_running = from.hook_running && to.running;
    to.orphan = from.hook_running && !to.running ? from.running->id : from.orphan;
    to.unclaimed_since = from.unclaimed_since;
    to.no_primary = from.no_primary;
    to.no_primary_critical = from.no_primary_critical;
    to.active_since = from.active_since;
    to.noise = from.noise;
    if (old_model.clients.classes == model.clients.classes) to.previous = from.previous;
    auto moved = [&](const std::vector<EndpointIndex>& list) {
        std::vector<EndpointIndex> result;
        for (EndpointIndex e : list)
            if (auto n =
                    same_site(old_model, old_model.services[from.index], e, model, model.services[to.index]))
                result.push_back(*n);
        return result;
    };
    to.redundancy = from.redundancy;
    to.redundancy_since = from.redundancy_since;
    to.missed = from.missed;
    to.missed_since = from.missed_since;
    to.primaries = moved(from.primaries);
    to.refused_claims = moved(from.refused_claims);
    for (auto& e : to.previous) // by endpoint number: only good if the sites still are what they were
        if (e && moved({*e}) != std::vector{*e}) e.reset();
    for (EndpointIndex o = 0; o < from.endpoints.size(); ++o)
        if (auto e =
                same_site(old_model, old_model.services[from.index], o, model, model.services[to.index])) {
            to.endpoints[*e] = from.endpoints[o];
            to.endpoints[*e].assessment = {};
        }
}

} // namespace

void Engine::State::bind_members(std::vector<MemberState> old_members) {
    binding = bind(*model);
    std::unordered_map<std::string, MemberState*> known;
    for (MemberState& m : old_members) known.emplace(m.spec.key(), &m);
    // Doubt lasts, with the witnesses that are left, and so does what waits for them.
    std::vector<MemberId> doubted;
    for (MemberSlot slot : doubt.witnesses) doubted.push_back(old_members[slot].id);

    members.clear();
    told.clear();
    for (const ProbeSpec& spec : binding.probes) {
        MemberState m{.spec = spec, .datacenter = model->find_datacenter(spec.datacenter)};
        if (auto it = known.find(spec.key()); it != known.end()) {
            m.id = it->second->id;
            m.health = std::move(it->second->health);
            m.lag = it->second->lag;
        } else m.id = next_id(slot_of);
        members.push_back(std::move(m));
        told.push_back({members.back().id, spec});
    }
    std::ranges::fill(slot_of, -1);
    for (std::size_t i = 0; i < members.size(); ++i) slot_of[members[i].id] = static_cast<std::int32_t>(i);
    for (ServiceIndex s = 0; s < model->services.size(); ++s)
        for (const BoundEndpoint& e : binding.services[s]) depend(members, e, s);

    brink.clear(); // the next look at each brings it back
    doubt.witnesses.clear();
    for (MemberId id : doubted)
        if (slot_of[id] >= 0) doubt.witnesses.push_back(static_cast<MemberSlot>(slot_of[id]));
}

void Engine::State::adopt(ModelPtr next, const Restored& restored, Now now,
                          std::vector<MemberState> old_members, std::vector<ServiceState> old_services,
                          const Model* old_model) {
    configured = std::move(next);
    adopt_aliases(restored, now);
    bind_members(std::move(old_members));
    services.clear();
    for (ServiceIndex s = 0; s < model->services.size(); ++s) {
        services.push_back(fresh_state(s, *model, now.mono));
        if (old_model)
            if (auto o = old_model->find_service(model->services[s].name))
                carry_over(services.back(), old_services[*o], *old_model, *model, now);
    }
    dues.clear();
    marked.clear();
    dirty.assign(services.size(), 0);
    mark_all();
}

void Engine::State::restore(const Restored& restored, Now now) {
    overrides = restored.overrides;
    // A clock that was set back a little is none the worse; one that starts in the past proves nothing.
    auto age = restored.alive ? std::optional(now.wall - *restored.alive) : std::nullopt;
    warm = age && *age > -health_is_true_for && *age < health_is_true_for;
    for (const ServiceRecord& r : restored.services)
        if (auto name = Name::parse(r.service))
            if (auto s = model->find_service(*name)) policies::restore(services[*s], r, *model, now);
    for (ServiceState& s : services) s.warm = warm;
    if (!warm) {
        for (const MemberRecord& r : restored.members) outdated.push_back({.key = r.key, .decided = false});
        return;
    }

    std::unordered_map<std::string, const MemberRecord*> known;
    for (const MemberRecord& r : restored.members) known.emplace(r.key, &r);
    for (MemberState& m : members) {
        auto it = known.find(m.spec.key());
        if (it == known.end()) continue;
        const MemberRecord& r = *it->second;
        if (!r.decided) continue;
        auto verdict = [](bool up) { return up ? Readiness::ready : Readiness::unready; };
        m.health.works = {verdict(r.up), now.at(r.since), r.passes, r.fails, now.at(r.run_since)};
        if (r.requirements_hold)
            m.health.meets.verdict = m.health.keeps_up.verdict = verdict(*r.requirements_hold);
        if (r.degraded) m.health.whole = {.verdict = Readiness::unready, .since = now.mono};
        m.health.weight = r.weight;
        if (r.up) m.health.last_pass = now.mono; // a witness (L4): it passed less than a minute ago
    }
}

Engine::Engine(ModelPtr model, const Restored& restored, Now now) : state_(std::make_unique<State>()) {
    state_->started = now.mono;
    state_->adopt(std::move(model), restored, now, {}, {}, nullptr);
    state_->restore(restored, now);
}

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
    if (m.health.requirements() != Readiness::undecided)
        r.requirements_hold = m.health.requirements() == Readiness::ready;
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
    return {*model, model->services[s], binding.services[s], members, overrides, doubt.active, now};
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

Effects Engine::State::turns(Now now) {
    Effects out;
    std::vector<ServiceIndex> todo = std::exchange(marked, {});
    std::ranges::sort(todo); // the order of the configuration, whatever stirred them
    for (ServiceIndex s : todo) {
        dirty[s] = 0;
        out.append(turn(s, now));
    }
    return out;
}

/// Reckons lag from positions and asks whether the facts satisfy the check.
MemberHealth::Facts Engine::State::judge_facts(MemberState& m, const Observation& seen) {
    const Facts& f = seen.facts;
    if (f.position && !f.system.empty()) {
        if (f.role == Role::primary) tracks[f.system].sample(seen.ended, *f.position, f.epoch);
        else m.lag = tracks[f.system].behind(*f.position);
    } else if (f.lag) { // as the product reckons it; one that says nothing leaves what it said last (L16)
        m.lag = Lag{.time = *f.lag, .sampled = seen.ended};
    }
    if (f.role == Role::primary) m.lag.reset();
    const Requirements& want = m.spec.check->requirements;
    auto lag = m.lag ? std::optional(m.lag->time) : f.lag;
    bool role = !want.role || f.role == want.role, quorum = !want.quorum || f.quorum != false;
    // A standby whose replication stands falls behind by nobody knows how much: that is within no limit (L1).
    bool stands = seen.reason == Reason::lag && f.role == Role::standby && !f.lag;
    bool keep_up = !want.max_lag || (!stands && (!lag || *lag <= *want.max_lag));
    return {.meet = role && quorum, .keep_up = keep_up};
}

void Engine::State::take(const Observation& seen, Effects& out, Now now) {
    if (seen.member >= slot_of.size() || slot_of[seen.member] < 0) return; // of a target no longer configured
    auto slot = static_cast<MemberSlot>(slot_of[seen.member]);
    MemberState& m = members[slot];
    bool passed = seen.outcome == Outcome::pass || seen.outcome == Outcome::degraded;
    bool held_before = m.health.held, row_before = m.health.works.fails > 0;
    const auto preference = [&] { return std::pair(m.health.whole.verdict, m.health.weight); };
    const auto preference_before = preference();
    MemberHealth::Facts facts = passed ? judge_facts(m, seen) : MemberHealth::Facts{};
    auto step = m.health.observe(seen, *m.spec.check, doubt.active, facts);

    auto moved = [&](Moved to) { return step.works == to || step.meets == to || step.keeps_up == to; };
    if (moved(Moved::down)) {
        auto why = step.works == Moved::down
                       ? std::string(fairway::to_string(seen.reason)) + " " + seen.detail
                       : "requirements not met: " + seen.facts.to_string();
        out.transitions.push_back(member_transition(m, Change::member_down, Severity::warning, why, now));
    } else if (moved(Moved::up)) {
        out.transitions.push_back(member_transition(m, Change::member_up, Severity::info, "passes", now));
    } else if (m.health.held && !held_before) {
        out.transitions.push_back(member_transition(m, Change::member_held, Severity::info,
                                                    "silent, and not believed: self-doubt", now));
    }
    if (step.judge && std::ranges::none_of(brink, [&](auto& b) { return b.slot == slot; }))
        brink.push_back({.slot = slot});
    bool row = m.health.works.fails > 0;
    bool decided =
        m.health.works.verdict != Readiness::undecided; // one without a verdict starts anew after a restart
    const Run& works = m.health.works;
    bool risen =
        works.verdict == Readiness::unready && works.passes == m.spec.check->timing.rise; // L10 may use it
    bool preferred_otherwise = preference() != preference_before;
    if (decided &&
        (moved(Moved::up) || moved(Moved::down) || row != row_before || risen || preferred_otherwise))
        out.members.push_back(record_of(m, now));
    if (step.changed) mark(m);
}

Effects Engine::start(Now now) {
    Effects out;
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
    for (const Observation& seen : batch) state_->take(seen, out, now);
    state_->judge_silence(out, now);
    state_->review_doubt(out, now);
    if (!state_->idle(now)) out.append(state_->settle(now));
    return out;
}

Effects Engine::tick(Now now) {
    Effects out;
    state_->judge_silence(out, now);
    state_->review_doubt(out, now);
    out.append(state_->settle(now));
    return out;
}

Effects Engine::hook_ended(const HookResult& result, Now now) {
    auto& st = *state_;
    auto name = Name::parse(result.service);
    auto index = name ? st.model->find_service(*name) : std::nullopt;
    if (!index) return {};
    ServiceState& s = st.services[*index];
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

Effects Engine::reload(ModelPtr model, Now now) {
    auto& st = *state_;
    ModelPtr old = st.model;
    auto old_members = std::move(st.members);
    auto old_services = st.services;
    st.adopt(std::move(model), {}, now, std::move(old_members), old_services, old.get());
    Effects out;
    out.aliases = !st.aliases.empty();
    st.review_doubt(out, now);
    out.append(st.settle(now));
    tell_reloaded(out, *old, old_services, *st.model, st.services, now);
    out.plans.clear();
    for (ServiceIndex s = 0; s < st.services.size(); ++s) out.plans.push_back(s);
    return out;
}

Instant Engine::next_due() const {
    Instant due = Instant::max();
    if (!state_->dues.empty()) due = state_->dues.begin()->first;
    if (auto d = state_->doubt_due()) due = std::min(due, *d);
    if (auto d = state_->alias_due()) due = std::min(due, *d);
    return due;
}

const Model& Engine::model() const { return *state_->model; }
std::span<const Member> Engine::members() const { return state_->told; }
const AnswerPlan& Engine::plan(ServiceIndex s) const { return state_->services[s].plan; }
std::span<const Override> Engine::overrides() const { return state_->overrides; }

} // namespace fairway::policies
