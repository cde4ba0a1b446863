// A command of an operator's on its way: what it is about, whether a freeze forbids it, and what follows it.
// Each is checked whole before anything changes (L19).
#include "policies/engine_state.hpp"
#include "policies/overrides.hpp"

#include <algorithm>

namespace fairway::policies {

CommandResult refused(std::string why) { return {.accepted = false, .message = std::move(why)}; }

std::optional<EndpointIndex> endpoint_in(const Model& model, ServiceIndex s, std::string_view datacenter) {
    const Service& service = model.services[s];
    for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
        if (model.datacenter_of(service, e).name == datacenter) return e;
    return std::nullopt;
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
    std::unique_ptr<State> in_drill; // a command that is refused ends none, and is judged by what is real
    Effects before;
    if (auto& drill = state_->drill; drill && !drill->over && !of_drills && !asks) {
        in_drill = std::make_unique<State>(*state_);
        before = done.effects;
        state_->end_drill(done.effects, "a command of " + command.operator_name, Severity::info, now);
        done.effects.append(state_->settle(now));
    }
    auto about = state_->touched(command);
    const auto stake = approval ? at_stake(approval->switch_id, now) : std::vector<std::string>{};
    done.result =
        std::visit([&](auto& what) { return state_->run(what, command.operator_name, done.effects, now); },
                   command.what);
    if (!done.result.accepted && in_drill) {
        state_ = std::move(in_drill);
        done.effects = std::move(before);
        return done;
    }
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
