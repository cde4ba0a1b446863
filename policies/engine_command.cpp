// What operators may ask of the decision: each command is checked whole before anything changes (L19).
#include "policies/engine_state.hpp"
#include "policies/overrides.hpp"
#include "policies/rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace fairway::policies {

namespace {

CommandResult refused(std::string why) { return {.accepted = false, .message = std::move(why)}; }

/// Why there is nothing that could be moved by this name.
std::string not_one(const Model& model, const std::string& said) {
    const auto known = model.known_title(said);
    if (!known) return "there is no service " + said;
    return *known + " decides its families apart: say \"" + *known + " A\" or \"" + *known + " AAAA\"";
}

std::optional<EndpointIndex> endpoint_in(const Model& model, ServiceIndex s, std::string_view datacenter) {
    const Service& service = model.services[s];
    for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
        if (model.datacenter_of(service, e).name == datacenter) return e;
    return std::nullopt;
}

/// Canonical names, or what is wrong with them.
std::optional<std::string> normalize(Scope& scope, const Model& model) {
    if (scope.service.empty() && scope.datacenter.empty() && scope.tag.empty())
        return "name a datacenter, a service, both, or a tag";
    if (!scope.tag.empty() && !scope.service.empty()) return "name a service or a tag, not both";
    bool tagged = std::ranges::any_of(model.services, [&](const Service& s) {
        return std::ranges::find(s.tags, scope.tag) != s.tags.end();
    });
    if (!scope.tag.empty() && !tagged) return "no service is tagged " + scope.tag;
    if (!scope.datacenter.empty() && !model.find_datacenter(scope.datacenter))
        return "there is no datacenter " + scope.datacenter;
    if (scope.service.empty()) return std::nullopt;
    const auto known = model.known_title(scope.service);
    if (!known) return "there is no service " + scope.service;
    scope.service = *known;
    const auto s = model.find_service(Title::parse(*known)->name); // halves have the same datacenters
    if (!scope.datacenter.empty() && !endpoint_in(model, *s, scope.datacenter))
        return scope.service + " has no endpoint in " + scope.datacenter;
    return std::nullopt;
}

/// Would this scope take the last site the service could be answered from?
bool takes_last(const ServiceState& s, const Model& model, const Scope& scope) {
    const Service& service = model.services[s.index];
    const std::string name = service.title();
    auto covered_in = [&](std::string_view dc) { return covers(scope, place_of(model, service, name, dc)); };
    auto covered = [&](EndpointIndex e) { return covered_in(model.datacenter_of(service, e).name); };
    if (s.running && covered_in(s.running->to)) return true; // it is about to be moved to
    if (service.follows_primary() && s.followed)
        return covered(s.followed->endpoint) && !s.endpoints[s.followed->endpoint].excluded;
    bool usable_before = false, usable_after = false, any_left = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        bool usable = usable_here(s.endpoints[e]);
        usable_before |= usable;
        usable_after |= usable && !covered(e);
        any_left |= !s.endpoints[e].excluded && !covered(e);
    }
    bool touches = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) touches |= covered(e) && !s.endpoints[e].excluded;
    return touches && ((usable_before && !usable_after) || !any_left);
}

/// "drained datacenter east"
std::string done_to(const Scope& scope, Override::Kind kind) {
    static constexpr std::array<std::string_view, 6> done{
        "forced down", "put under maintenance", "drained", "forced up", "froze", "drills the loss of"};
    return std::string(done[static_cast<std::size_t>(kind)]) + " " + scope.to_string();
}

/// Whether the override may be set at all; what is wrong with it, or nothing.
std::optional<std::string> faulty(const SetOverride& o, Scope& scope, const Model& model) {
    const std::string kind{to_string(o.kind)};
    bool freeze = o.kind == Override::Kind::freeze;
    if (freeze && !(scope.datacenter.empty() && scope.tag.empty()))
        return "a freeze holds a service, or everything: it takes no datacenter and no tag";
    if (!(freeze && scope.service.empty()))
        if (auto wrong = normalize(scope, model)) return wrong;
    if (o.reason.empty()) return "a " + kind + " needs a reason";
    if (o.lasts <= 0s) return "a " + kind + " needs a time to last";
    return std::nullopt;
}

} // namespace

CommandResult Engine::State::run(const SetOverride& set, const std::string& who, Effects& out, Now now) {
    if (set.kind == Override::Kind::drill) return start_drill(set, who, out, now);
    Override o{.kind = set.kind, .scope = set.scope, .reason = set.reason, .operator_name = who};
    if (auto wrong = faulty(set, o.scope, *model)) return refused(*wrong);
    CommandResult result{.accepted = true};
    for (const ServiceState& s : services)
        if (set.kind < Override::Kind::force_up && takes_last(s, *model, o.scope))
            result.details.push_back(model->services[s.index].title());
    if (!result.details.empty() && !set.force) {
        result.accepted = false;
        result.message = "refused: it would take the last usable site of " +
                         std::to_string(result.details.size()) + " service(s); --force does it all the same";
        return result;
    }
    o.since = now.wall;
    o.expires = now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(set.lasts);
    o.id = std::string(to_string(o.kind)) + ":" + o.scope.to_string();
    std::string replaced;
    for (const Override& other : overrides)
        if (other.id == o.id)
            replaced = "; replaces the one by " + other.operator_name + " (" + other.reason + ")";
    std::erase_if(overrides, [&](auto& other) { return other.id == o.id; });
    overrides.push_back(o);
    out.overrides = true;
    result.message = done_to(o.scope, o.kind) + " until " + fairway::to_string(o.expires) + replaced;
    out.transitions.push_back({.change = Change::override_set,
                               .severity = Severity::info,
                               .service = o.scope.service,
                               .datacenter = o.scope.datacenter,
                               .subject = o.id,
                               .reason = result.message + " by " + who + ": " + set.reason,
                               .decided = now.mono});
    review_freezes(out, now);
    mark_all();
    return result;
}

CommandResult Engine::State::run(const EndOverride& end, const std::string& who, Effects& out, Now now) {
    using enum Override::Kind;
    if (end.kind == Override::Kind::drill) {
        if (!this->drill || this->drill->over) return refused("no drill is under way");
        end_drill(out, "given up by " + who, Severity::info, now);
        return {.accepted = true, .message = out.transitions.back().reason};
    }
    Scope scope = end.scope;
    if (!(end.kind == freeze && scope.service.empty()))
        if (auto wrong = normalize(scope, *model)) return refused(*wrong);
    auto forces = [](Override::Kind k) { return k == force_up || k == force_down; }; // one word ends both
    auto it = std::ranges::find_if(overrides, [&](const Override& o) {
        return o.scope == scope && (o.kind == end.kind || (forces(o.kind) && forces(end.kind)));
    });
    std::string what = forces(end.kind) ? "force" : std::string(to_string(end.kind));
    if (it == overrides.end()) return refused("there is no " + what + " of " + scope.to_string());
    CommandResult result{.accepted = true,
                         .message = "the " + std::string(to_string(it->kind)) + " of " + scope.to_string() +
                                    " has ended"};
    out.transitions.push_back({.change = Change::override_ended,
                               .severity = Severity::info,
                               .service = scope.service,
                               .datacenter = scope.datacenter,
                               .subject = it->id,
                               .reason = result.message + ", by " + who,
                               .decided = now.mono});
    overrides.erase(it);
    out.overrides = true;
    review_freezes(out, now);
    mark_all();
    return result;
}

void Engine::State::expire_overrides(Effects& out, Now now) {
    for (const Override& o : overrides)
        if (o.expires <= now.wall && o.kind != Override::Kind::drill)
            out.transitions.push_back({.change = Change::override_expired,
                                       .severity = Severity::warning,
                                       .service = o.scope.service,
                                       .datacenter = o.scope.datacenter,
                                       .subject = o.id,
                                       .reason = "the " + std::string(to_string(o.kind)) + " of " +
                                                 o.scope.to_string() + " has expired",
                                       .decided = now.mono});
    if (std::erase_if(overrides, [&](auto& o) { return o.expires <= now.wall; }) == 0) return;
    out.overrides = true;
    const bool drilled = std::ranges::count(overrides, Override::Kind::drill, &Override::kind) > 0;
    if (drill && !drill->over && !drilled) end_drill(out, "its time is up", Severity::info, now);
    review_freezes(out, now);
    mark_all();
}

void Engine::State::review_freezes(Effects& out, Now now) {
    for (ServiceState& s : services) {
        const Service& service = model->services[s.index];
        const std::string name = service.title();
        bool freeze = freezing(overrides, place_of(*model, service, name), now.wall);
        if (freeze == s.frozen.has_value() || !s.served) continue;
        if (freeze) s.frozen = s.plan;
        else {
            s.frozen.reset();
            // Thawed by the start itself, before anything was seen: the plan stays until it is decided anew
            // (L20).
            if (now.mono - s.born < 10s) {
                s.served = false;
                s.keeps_plan = true;
            }
        }
        out.services.push_back(record_of(s, *model, now));
    }
}

/// Where failback leads: a planned switch to it is no departure.
static std::optional<EndpointIndex> preferred_endpoint(const Service& service) {
    const auto& order = std::get<ActivePassive>(service.policy).order;
    return order.empty() ? std::nullopt : std::optional(order.front());
}

ServiceIndex Engine::State::leader_of(ServiceIndex s) const {
    const auto& group = model->services[s].group;
    return group && model->groups[*group].ordered ? model->groups[*group].services.front() : s;
}

/// Whose switch it is that moves the service: in a group the leader's.
std::optional<ServiceIndex> Engine::State::moved_by(const std::string& service) const {
    auto index = model->find_titled(service);
    return index ? std::optional(leader_of(*index)) : std::nullopt;
}

/// The services that a command is about.
std::vector<ServiceIndex> Engine::State::touched(const Command& command) const {
    auto about = [&](const ServiceState& s) {
        const Service& service = model->services[s.index];
        const std::string name = service.title();
        auto in_scope = [&](Scope scope) {
            scope.service = model->known_title(scope.service).value_or(scope.service);
            return std::ranges::any_of(service.endpoints, [&](const Endpoint& e) {
                return covers(scope, place_of(*model, service, name, model->datacenters[e.datacenter].name));
            });
        };
        auto named = [&](const std::string& said) {
            auto index = model->find_titled(said);
            return index &&
                   (*index == s.index || (service.group && model->services[*index].group == service.group));
        };
        if (auto* c = std::get_if<SetOverride>(&command.what)) return in_scope(c->scope);
        if (auto* c = std::get_if<EndOverride>(&command.what)) return in_scope(c->scope);
        if (auto* c = std::get_if<Failover>(&command.what)) return named(c->service);
        if (auto* c = std::get_if<Failback>(&command.what)) return named(c->service);
        if (auto* c = std::get_if<Move>(&command.what)) return named(c->service);
        if (auto* c = std::get_if<Abort>(&command.what)) return named(c->service);
        const ServiceState& leads = services[leader_of(s.index)];
        return leads.running && leads.running->id == std::get<Approve>(command.what).switch_id;
    };
    std::vector<ServiceIndex> list;
    for (const ServiceState& s : services)
        if (about(s)) list.push_back(s.index);
    return list;
}

/// Under a freeze operators act only if they say that they know of it.
CommandResult Engine::State::refuse_frozen(const Command& command, Now now) {
    using Kind = Override::Kind;
    auto* set = std::get_if<SetOverride>(&command.what);
    auto* end = std::get_if<EndOverride>(&command.what);
    // A freeze, and a drill beside it, change no answer that is held.
    bool of_freezes = (set && set->kind >= Kind::freeze) || (end && end->kind >= Kind::freeze);
    auto* move = std::get_if<Move>(&command.what);
    auto* approval = std::get_if<Approve>(&command.what);
    const bool asks = (move && move->dry_run) || (approval && approval->dry_run);
    if (command.while_frozen || of_freezes || asks) return {.accepted = true};
    for (ServiceIndex i : touched(command)) {
        const std::string name = model->services[i].title();
        const Override* f = services[i].frozen ? freezing_override(context(i, now)) : nullptr;
        if (f)
            return refused(name + " is frozen by " + f->operator_name + " (" + f->reason + ") until " +
                           fairway::to_string(f->expires) + ": --while-frozen acts all the same");
    }
    return {.accepted = true};
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
    return request_switch(*index, SwitchCause::requested_failback, p->order.front(), who, out, now);
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
    return result;
}

CommandResult Engine::State::run(const Abort& a, const std::string& who, Effects& out, Now now) {
    auto index = moved_by(a.service);
    if (!index) return refused(not_one(*model, a.service));
    ServiceState& s = services[*index];
    if (!s.running) return refused("no switch of " + a.service + " is under way");
    const std::string id = s.running->id;
    if (auto why = past_return(*s.running, s.hook_running)) return refused("switch " + id + ": " + *why);
    out.transitions.push_back({.change = Change::switch_obsolete,
                               .service = model->services[*index].title(),
                               .datacenter = s.running->to,
                               .subject = id,
                               .reason = "given up by " + who,
                               .decided = now.mono});
    s.running.reset();
    out.services.push_back(record_of(s, *model, now));
    mark(*index);
    return {.accepted = true, .message = "switch " + id + " is given up; nothing was touched"};
}

Engine::Commanded Engine::command(const Command& command, Now now) {
    Commanded done;
    state_->follow_clock(done.effects, now);
    done.result = state_->refuse_frozen(command, now);
    if (!done.result.accepted) return done;
    // An operator acts on what is real.
    auto* set = std::get_if<SetOverride>(&command.what);
    auto* end = std::get_if<EndOverride>(&command.what);
    auto* move = std::get_if<Move>(&command.what);
    auto* approval = std::get_if<Approve>(&command.what);
    const bool asks = (move && move->dry_run) || (approval && approval->dry_run);
    const bool of_drills =
        (set && set->kind == Override::Kind::drill) || (end && end->kind == Override::Kind::drill);
    if (auto& drill = state_->drill; drill && !drill->over && !of_drills && !asks) {
        state_->end_drill(done.effects, "a command of " + command.operator_name, Severity::info, now);
        done.effects.append(state_->settle(now));
    }
    auto about = state_->touched(command);
    const auto stake = approval ? at_stake(approval->switch_id, now) : std::vector<std::string>{};
    done.result =
        std::visit([&](auto& what) { return state_->run(what, command.operator_name, done.effects, now); },
                   command.what);
    if (done.result.accepted)
        done.result.details.insert(done.result.details.end(), stake.begin(), stake.end());
    for (ServiceIndex i : about)
        if (ServiceState& s = state_->services[i]; s.frozen && done.result.accepted && command.while_frozen) {
            s.thawed = true;
            bool override = std::holds_alternative<SetOverride>(command.what) ||
                            std::holds_alternative<EndOverride>(command.what);
            if (s.running && !override) s.running->while_frozen = true;
        }
    done.effects.append(state_->settle(now));
    state_->review_drill(done.effects, now);
    state_->quiet_maintenance(done.effects, now);
    if (std::holds_alternative<EndOverride>(command.what))
        done.effects.latched = done.effects.plans; // rest on its end
    return done;
}

} // namespace fairway::policies
