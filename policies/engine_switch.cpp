// Switches as operators ask for them: whether one may begin, what it would do, approval and giving up (L17).
#include "policies/engine_state.hpp"
#include "policies/rules.hpp"

namespace fairway::policies {

namespace {

/// Why there is nothing that could be moved by this name.
std::string not_one(const Model& model, const std::string& said) {
    const auto known = model.known_title(said);
    if (!known) return "there is no service " + said;
    return *known + " decides its families apart: say \"" + *known + " A\" or \"" + *known + " AAAA\"";
}

/// Where failback leads: a planned switch to it is no departure.
std::optional<EndpointIndex> preferred_endpoint(const Service& service) {
    const auto& order = std::get<ActivePassive>(service.policy).order;
    return order.empty() ? std::nullopt : std::optional(order.front());
}

} // namespace

ServiceIndex Engine::State::leader_of(ServiceIndex s) const {
    const auto& group = model->services[s].group;
    return group && model->groups[*group].ordered ? model->groups[*group].services.front() : s;
}

/// Whose switch it is that moves the service: in a group the leader's.
std::optional<ServiceIndex> Engine::State::moved_by(const std::string& service) const {
    auto index = model->find_titled(service);
    return index ? std::optional(leader_of(*index)) : std::nullopt;
}

/// Why a switch of the service cannot begin; empty: it can.
std::optional<std::string> Engine::State::cannot_switch(ServiceIndex index, SwitchCause cause,
                                                        EndpointIndex to, Now now) {
    const ServiceState& s = services[index];
    ServiceContext c = context(index, now);
    const std::string& dc = model->datacenter_of(c.service, to).name;
    if (s.running && (s.running->step != SwitchStep::awaiting_approval || s.running->to == dc))
        return "switch " + s.running->id + " is under way (" + std::string(to_string(s.running->step)) +
               "): approve it, or wait for its end";
    if (!s.orphan.empty())
        return "a hook of switch " + s.orphan + " still runs, though its target is gone: wait for its end";
    const bool planned = cause == SwitchCause::requested_move || cause == SwitchCause::requested_failback;
    if (const auto window = planned ? hold_window(model->rules, now.wall) : std::nullopt)
        return window->text() + ": nothing planned moves; `fairwayctl failover` moves all the same";
    bool follow = c.service.follows_primary();
    auto seat = follow ? (s.followed ? std::optional(s.followed->endpoint) : std::nullopt) : s.active;
    if (seat == to) return c.service.title() + " is in " + dc + " already";
    if (s.endpoints[to].excluded) return dc + " is excluded: " + unfit_reason(s, c, to);
    if (s.endpoints[to].together != Readiness::ready)
        return dc + " cannot take over: " + s.endpoints[to].apart;
    if (follow ? !can_take_over(s, c, to) : !s.endpoints[to].fit && !s.endpoints[to].stands_in)
        return dc + " cannot take over: " +
               (follow && s.endpoints[to].fit ? "no standby answers there" : unfit_reason(s, c, to));
    bool runbook =
        c.service.hooks.contains(Hook::Step::promote) ||
        (cause == SwitchCause::requested_failback && c.service.hooks.contains(Hook::Step::failback));
    if (follow && !runbook)
        return "no promote hook is configured: promote the database in " + dc +
               " by hand, traffic follows it";
    return std::nullopt;
}

/// The switch as it would begin.
Switch Engine::State::drafted(ServiceIndex index, SwitchCause cause, EndpointIndex to, const std::string& who,
                              Now now) {
    const ServiceState& s = services[index];
    ServiceContext c = context(index, now);
    auto seat = c.service.follows_primary()
                    ? (s.followed ? std::optional(s.followed->endpoint) : std::nullopt)
                    : s.active;
    Switch draft = new_switch(
        c.service, cause, switch_epoch(s, c), seat ? model->datacenter_of(c.service, *seat).name : "",
        model->datacenter_of(c.service, to).name, std::string(to_string(cause)) + " by " + who, "", now);
    draft.operator_name = who;
    // Where the TTL is one and the same, answers are as short-lived as they ever get. The second is for the
    // store, which is written before the short TTL is published.
    if (c.service.ttl.min != c.service.ttl.max) draft.announced = std::chrono::seconds(s.plan.ttl) + 1s;
    return draft;
}

CommandResult Engine::State::request_switch(ServiceIndex index, SwitchCause cause, EndpointIndex to,
                                            const std::string& who, Effects& out, Now now) {
    if (auto why = cannot_switch(index, cause, to, now)) return refused(*why);
    ServiceState& s = services[index];
    ServiceContext c = context(index, now);
    const std::string& dc = model->datacenter_of(c.service, to).name;
    Switch draft = drafted(index, cause, to, who, now);
    if (s.running)
        out.transitions.push_back({.change = Change::switch_obsolete,
                                   .service = c.service.title(),
                                   .datacenter = s.running->to,
                                   .subject = s.running->id,
                                   .reason = "superseded by " + who,
                                   .decided = now.mono});
    s.hook_running = false;
    s.running = std::move(draft);
    out.services.push_back(record_of(s, *model, now));
    out.transitions.push_back({.change = Change::switch_started,
                               .severity = Severity::info,
                               .service = c.service.title(),
                               .datacenter = dc,
                               .subject = s.running->id,
                               .from = s.running->from,
                               .to = dc,
                               .reason = s.running->reason,
                               .decided = now.mono});
    mark(index);
    return {
        .accepted = true, .message = "switch " + s.running->id + " has started", .details = {s.running->id}};
}

CommandResult Engine::State::run(const Failover& f, const std::string& who, Effects& out, Now now) {
    auto index = moved_by(f.service);
    if (!index) return refused(not_one(*model, f.service));
    auto to = endpoint_in(*model, *index, f.to);
    if (!to) return refused(f.service + " has no endpoint in " + f.to);
    const Service& service = model->services[*index];
    if (!std::holds_alternative<ActivePassive>(service.policy))
        return refused(f.service + " is not active/passive: drain the site it should leave");
    if (!f.accept_claim) {
        if (!service.follows_primary() && service.failback == Service::Failback::automatic)
            return refused(f.service + " returns by itself (failback: auto): drain the site it should leave");
        return request_switch(*index, SwitchCause::requested_failover, *to, who, out, now);
    }
    ServiceState& s = services[*index];
    auto claims = claims_of(context(*index, now));
    if (!service.follows_primary() || !claims[*to].fresh)
        return refused(f.to + " does not claim to be primary");
    s.followed = Followed{*to, claims[*to].epoch, claims[*to].system};
    out.services.push_back(record_of(s, *model, now));
    out.transitions.push_back({.change = Change::primary_followed,
                               .severity = Severity::warning,
                               .service = service.title(),
                               .datacenter = f.to,
                               .to = f.to,
                               .reason = "the claim of " + f.to + " was accepted by " + who,
                               .decided = now.mono});
    mark(*index);
    return {.accepted = true, .message = service.title() + " follows the primary in " + f.to};
}

CommandResult Engine::State::run(const Failback& f, const std::string& who, Effects& out, Now now) {
    auto index = moved_by(f.service);
    if (!index) return refused(not_one(*model, f.service));
    auto* p = std::get_if<ActivePassive>(&model->services[*index].policy);
    if (!p || p->order.empty()) return refused(f.service + " is not active/passive: it returns by itself");
    // The first that is fit, as status tells it; with none, the refusal is about the one preferred most.
    constexpr auto cause = SwitchCause::requested_failback;
    EndpointIndex to = p->order.front();
    const ServiceState& s = services[*index];
    const auto seat = p->follow_primary && s.followed ? std::optional(s.followed->endpoint) : s.active;
    for (EndpointIndex e : p->order) {
        if (e == seat) break;
        if (s.endpoints[e].degraded || cannot_switch(*index, cause, e, now)) continue;
        to = e;
        break;
    }
    return request_switch(*index, cause, to, who, out, now);
}

CommandResult Engine::State::run(const Approve& a, const std::string& who, Effects& out, Now now) {
    for (ServiceState& s : services) {
        if (!s.running || s.running->id != a.switch_id) continue;
        if (s.running->step != SwitchStep::awaiting_approval)
            return refused("switch " + a.switch_id +
                           " waits for no approval, it is at: " + std::string(to_string(s.running->step)));
        if (a.dry_run)
            return {.accepted = true, .message = "this is what approving " + a.switch_id + " means"};
        ServiceContext c = context(s.index, now);
        if (s.running->cause == SwitchCause::primary_gone && s.claimed)
            return refused("a primary answers again: nothing is left to approve; `fairwayctl failover " +
                           c.service.title() + " --to " + s.running->to + "` asks for a switch");
        RunbookStep step = approve(*s.running, s.hook_running, who, runbook_view(s, c, claims_of(c)));
        out.transitions.insert(out.transitions.end(), step.transitions.begin(), step.transitions.end());
        out.hooks.insert(out.hooks.end(), step.hooks.begin(), step.hooks.end());
        if (step.ended) s.running.reset();
        out.services.push_back(record_of(s, *model, now));
        mark(s.index);
        return {.accepted = true, .message = "switch " + a.switch_id + " goes on"};
    }
    return refused("no switch " + a.switch_id + " is waiting; `fairwayctl status` shows those that are");
}

CommandResult Engine::State::run(const Move& m, const std::string& who, Effects& out, Now now) {
    auto index = moved_by(m.service);
    if (!index) return refused(not_one(*model, m.service));
    auto to = endpoint_in(*model, *index, m.to);
    if (!to) return refused(m.service + " has no endpoint in " + m.to);
    const Service& service = model->services[*index];
    if (!std::holds_alternative<ActivePassive>(service.policy))
        return refused(m.service + " is not active/passive: drain the site it should leave");
    if (!service.follows_primary() && service.failback != Service::Failback::manual &&
        to != preferred_endpoint(service))
        return refused(m.service +
                       " would return by itself (failback is not manual): drain the site it should leave");
    constexpr auto cause = SwitchCause::requested_move;
    if (!m.dry_run) return request_switch(*index, cause, *to, who, out, now);
    if (auto why = cannot_switch(*index, cause, *to, now)) return refused(*why);
    ServiceContext c = context(*index, now);
    CommandResult result{.accepted = true,
                         .message = "this is what a switch to " + m.to + " would do",
                         .details = steps_ahead(drafted(*index, cause, *to, who, now), service)};
    if (auto risk = rpo_guard(services[*index], c, *to))
        result.details.push_back("it would wait for approval before it prepares: " + *risk);
    const ServiceState& s = services[*index];
    const bool lives = service.follows_primary() && s.followed && claims_of(c)[s.followed->endpoint].fresh;
    if (lives && !service.hooks.contains(Hook::Step::fence)) {
        const std::string& from = model->datacenter_of(service, s.followed->endpoint).name;
        result.details.push_back("it would wait before it promotes: no fence hook stops the primary in " +
                                 from + "; it goes on once that is stopped by hand");
    }
    return result;
}

CommandResult Engine::State::run(const Abort& a, const std::string& who, Effects& out, Now now) {
    auto index = moved_by(a.service);
    if (!index) return refused(not_one(*model, a.service));
    ServiceState& s = services[*index];
    if (!s.running) return refused("no switch of " + a.service + " is under way");
    const std::string id = s.running->id;
    if (auto why = past_return(*s.running, s.hook_running, a.force))
        return refused("switch " + id + ": " + *why);
    const bool untouched = !past_return(*s.running, s.hook_running);
    const ServiceContext c = context(*index, now);
    const bool by_itself = s.running->cause < SwitchCause::requested_failover;
    if (by_itself && !s.frozen && runbook_view(s, c, claims_of(c)).cause_holds)
        return refused("switch " + id + " began by itself and its reason holds (" + s.running->reason +
                       "): given up, it would begin again at once. " +
                       (s.running->step == SwitchStep::awaiting_approval
                            ? "It waits, and does nothing without approval; to be rid of it: "
                            : "To stop it: ") +
                       "fairwayctl freeze --service " + c.service.title() + ", then --abort --while-frozen");
    out.transitions.push_back({.change = Change::switch_obsolete,
                               .service = model->services[*index].title(),
                               .datacenter = s.running->to,
                               .subject = id,
                               .reason = "given up by " + who,
                               .decided = now.mono});
    s.running.reset();
    out.services.push_back(record_of(s, *model, now));
    mark(*index);
    return {.accepted = true,
            .message =
                "switch " + id + " is given up; " +
                (untouched ? "nothing was touched" : "what its hooks did is undone by hand, or not at all")};
}

} // namespace fairway::policies
