// Drills: how they begin, what ends them, and what is marked as theirs.
#include "config/counted.hpp"
#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

Observation as_lost(const Observation& truth, const Check& check) {
    const bool hearsay =
        std::holds_alternative<PushCheck>(check.kind) || std::holds_alternative<PrometheusCheck>(check.kind);
    Observation lost{.member = truth.member,
                     .outcome = hearsay ? Outcome::unknown : Outcome::fail,
                     .reason = hearsay ? Reason::no_data : Reason::timeout_connect,
                     .detail = "a drill: the site is played lost",
                     .begun = truth.begun,
                     .ended = truth.begun + check.timing.timeout};
    lost.ended = std::max(lost.ended, truth.ended);
    return lost;
}

namespace {

bool answers_in(const Service& service, const Model& model, const std::string& datacenter) {
    return std::ranges::any_of(service.endpoints,
                               [&](auto& e) { return model.datacenters[e.datacenter].name == datacenter; });
}

/// Why the service keeps the site from being played lost; empty: it does not.
std::string refuses(const ServiceState& s, const ServiceContext& c, const std::string& datacenter,
                    bool with_hooks) {
    const std::string name = c.service.title();
    if (!answers_in(c.service, c.model, datacenter) || s.frozen || !s.served) return {};
    if (s.running) return name + ": a switch is under way";
    const auto here = [&](EndpointIndex e) { return c.model.datacenter_of(c.service, e).name == datacenter; };
    if (c.service.follows_primary()) {
        if (!with_hooks || !s.followed || !here(s.followed->endpoint)) return {}; // its answer stays
        for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
            if (!here(e) && can_take_over(s, c, e)) return {};
        return name + ": no other standby could take over";
    }
    bool uses = false, other = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        const bool usable = s.endpoints[e].fit || s.endpoints[e].pressed;
        uses |= usable && here(e);
        other |= (usable || usable_if_needed(s, c, e)) && !here(e);
    }
    return uses && !other ? name + ": it is its last usable site" : "";
}

} // namespace

CommandResult Engine::State::start_drill(const SetOverride& set, const std::string& who, Effects& out,
                                         Now now) {
    const std::string& dc = set.scope.datacenter;
    if (dc.empty() || !set.scope.service.empty() || !set.scope.tag.empty())
        return refused("a drill loses a datacenter: name one, and nothing else");
    if (!model->find_datacenter(dc)) return refused("there is no datacenter " + dc);
    if (set.lasts <= 0s || set.lasts > 24h) return refused("a drill lasts up to 24 hours");
    if (drill && !drill->over) return refused("a drill of " + drill->report.datacenter + " is under way");
    if (doubt.active) return refused("this node doubts itself: no time for a drill");
    CommandResult result{.accepted = true};
    for (const ServiceState& s : services)
        if (auto why = refuses(s, context(s.index, now), dc, set.with_hooks); !why.empty())
            result.details.push_back(std::move(why));
    if (!result.details.empty()) {
        result.accepted = false;
        result.message = "refused: " + counted(result.details.size(), "service") + " could not bear the loss";
        return result;
    }
    Override o{.id = "drill:datacenter " + dc, .kind = Override::Kind::drill, .scope = {.datacenter = dc}};
    o.reason = set.reason.empty() ? "drill" : set.reason;
    o.operator_name = who;
    o.since = now.wall;
    o.expires = now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(set.lasts);
    o.with_hooks = set.with_hooks;
    overrides.push_back(o);
    out.overrides = true;
    adopt_drill(now);
    for (const MemberState& m : members)
        if (m.spec.datacenter == dc) drill->truth[m.id] = m.health;
    result.message = "a drill: " + dc + " is played lost until " + fairway::to_string(o.expires);
    out.transitions.push_back({.change = Change::drill_started,
                               .severity = Severity::warning,
                               .datacenter = dc,
                               .subject = o.id,
                               .reason = result.message + ", by " + who + ": " + o.reason,
                               .decided = now.mono,
                               .drill = true});
    mark_all();
    return result;
}

/// Goes on with the drill that the overrides say, after a restart too.
void Engine::State::adopt_drill(Now now) {
    const auto o = std::ranges::find(overrides, Override::Kind::drill, &Override::kind);
    if (o == overrides.end()) return;
    drill = DrillState{.report = {.datacenter = o->scope.datacenter,
                                  .reason = o->reason,
                                  .operator_name = o->operator_name,
                                  .running = true,
                                  .with_hooks = o->with_hooks,
                                  .begun = now.at(o->since),
                                  .since = o->since,
                                  .until = o->expires}};
    for (const ServiceState& s : services)
        if (s.all_down) drill->down_before.insert(model->services[s.index].title());
}

/// What was played never was: members are again what they truly are, and one of which that is not known yet
/// is undecided. A claim or a verdict of the drill must start no switch.
void Engine::State::end_drill(Effects& out, const std::string& why, Severity severity, Now now) {
    std::erase_if(overrides, [](auto& o) { return o.kind == Override::Kind::drill; });
    out.overrides = true;
    drill->report.running = false;
    drill->report.ended = why;
    drill->report.until = now.wall;
    drill->over = true;
    for (MemberState& m : members) {
        if (m.spec.datacenter != drill->report.datacenter) continue;
        const auto truth = drill->truth.find(m.id);
        m.health = truth == drill->truth.end() ? MemberHealth{} : std::move(truth->second);
        auto record = record_of(m, now);
        record.decided = m.health.works.verdict != Readiness::undecided;
        out.members.push_back(std::move(record));
    }
    drill->truth.clear();
    std::erase_if(
        brink, [&](const Brink& b) { return members[b.slot].spec.datacenter == drill->report.datacenter; });
    for (ServiceState& s : services)
        for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
            if (model->datacenter_of(model->services[s.index], e).name == drill->report.datacenter)
                s.endpoints[e].out_since.reset(); // it never was away: nothing damps it
    out.transitions.push_back({.change = Change::drill_ended,
                               .severity = severity,
                               .datacenter = drill->report.datacenter,
                               .subject = "drill:datacenter " + drill->report.datacenter,
                               .reason = "the drill of " + drill->report.datacenter + " is over: " + why,
                               .decided = now.mono,
                               .drill = true});
    mark_all();
}

/// What is real and needs the site, or an eye on it: why the drill has to end; empty: nothing.
std::string Engine::State::guard_of_drill(const Effects& out) const {
    if (doubt.active) return "this node doubts itself";
    for (const Transition& t : out.transitions) {
        const bool elsewhere = !t.datacenter.empty() && t.datacenter != drill->report.datacenter;
        if (elsewhere && (t.change == Change::member_down || t.change == Change::endpoint_unfit))
            return t.datacenter + " fails in earnest: " + (t.subject.empty() ? t.service : t.subject) + " " +
                   t.reason;
    }
    for (const ServiceState& s : services) {
        const std::string name = model->services[s.index].title();
        if (s.all_down && !drill->down_before.contains(name)) return name + " has no other fit site";
    }
    return {};
}

void Engine::State::review_drill(Effects& out, Now now) {
    if (!drill || drill->over) return;
    if (auto why = guard_of_drill(out); !why.empty()) {
        mark_drill(out);
        end_drill(out, why, Severity::warning, now);
        out.append(settle(now));
        return;
    }
    drill->report.held.clear();
    for (const ServiceState& s : services)
        if (!s.drill_held.empty())
            drill->report.held.push_back(model->services[s.index].title() + ": " + s.drill_held);
    mark_drill(out);
}

/// Whoever reads of it has to know that it is not real.
void Engine::State::mark_drill(Effects& out) {
    const std::string& dc = drill->report.datacenter;
    for (Transition& t : out.transitions) {
        const auto s = model->find_titled(t.service);
        const bool of_service = t.datacenter.empty() && s && answers_in(model->services[*s], *model, dc);
        const bool leaves = s && t.from == dc; // of a move, whose datacenter is where it goes
        if (t.drill || (t.datacenter != dc && !of_service && !leaves)) continue;
        t.drill = true;
        t.reason = "drill: " + t.reason;
        if (t.change == Change::endpoint_unfit && !drill->report.decided)
            drill->report.decided = t.decided - drill->report.begun;
    }
}

bool Engine::State::played_lost(const MemberState& m) const {
    return drill && !drill->over && m.spec.datacenter == drill->report.datacenter;
}

bool Engine::in_drill() const { return state_->drill && !state_->drill->over; }

std::optional<Observation> Engine::lost_in_drill(const Observation& truth) const {
    const State& st = *state_;
    if (!in_drill() || truth.member >= st.slot_of.size() || st.slot_of[truth.member] < 0) return std::nullopt;
    const MemberState& m = st.members[static_cast<std::size_t>(st.slot_of[truth.member])];
    return st.played_lost(m) ? std::optional(as_lost(truth, *m.spec.check)) : std::nullopt;
}

Effects Engine::truth(const Observation& seen, Now now) {
    State& st = *state_;
    Effects out;
    if (!lost_in_drill(seen)) return out;
    const MemberState& m = st.members[static_cast<std::size_t>(st.slot_of[seen.member])];
    const auto step = st.drill->truth[seen.member].observe(seen, *m.spec.check, false, {});
    if (step.works != Moved::down && !step.judge) return out;
    st.end_drill(out,
                 m.spec.target_text() + " fails in earnest: " + std::string(fairway::to_string(seen.reason)),
                 Severity::warning, now);
    out.append(st.settle(now));
    return out;
}

} // namespace fairway::policies
