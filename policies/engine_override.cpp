// Overrides as operators set and end them: what is refused, what expires, and what a freeze holds (L19).
#include "config/counted.hpp"
#include "policies/engine_state.hpp"
#include "policies/overrides.hpp"

#include <algorithm>
#include <array>
#include <functional>

namespace fairway::policies {

bool usable_if_needed(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    const EndpointState& state = s.endpoints[e];
    if (c.service.follows_primary() || state.excluded || state.share == 0) return false;
    if (state.together == Readiness::unready) return false;
    auto risen = assess(c.service, c.service.endpoints[e], c.bound[e], c.members, Measure::risen);
    return risen.application == Readiness::ready && risen.stateful == Readiness::ready;
}

namespace {

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

/// Why a scope may not be taken away from a service; `instead` is what to do first, if there is something.
struct Loss {
    std::string service, instead;
};

/// What keeps the site that a service is in from being taken: its primary, which has to be moved first.
std::string move_first(const ServiceState& s, const ServiceContext& c,
                       const std::function<bool(EndpointIndex)>& covered) {
    const std::string title = c.service.title();
    std::string text =
        title + " follows its primary in " + c.model.datacenter_of(c.service, s.followed->endpoint).name;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
        if (!covered(e) && can_take_over(s, c, e))
            return text + ", move it first: fairwayctl switch " + title + " --to " +
                   c.model.datacenter_of(c.service, e).name + "; --force means SERVFAIL";
    return text + ", and no other site can take over: --force means SERVFAIL";
}

/// Would this scope take the last site the service could be answered from?
std::optional<Loss> takes_last(const ServiceState& s, const ServiceContext& c, const Scope& scope) {
    const Service& service = c.service;
    const Model& model = c.model;
    const std::string name = service.title();
    auto covered_in = [&](std::string_view dc) { return covers(scope, place_of(model, service, name, dc)); };
    auto covered = [&](EndpointIndex e) { return covered_in(model.datacenter_of(service, e).name); };
    if (s.running && covered_in(s.running->to)) // it is about to be moved to
        return Loss{name, s.running->to + " is where switch " + s.running->id +
                              " leads: wait for its end, or fairwayctl switch " + name + " --abort"};
    if (service.follows_primary() && s.followed) {
        if (!covered(s.followed->endpoint) || s.endpoints[s.followed->endpoint].excluded) return std::nullopt;
        return Loss{name, move_first(s, c, covered)};
    }
    bool usable_before = false, usable_after = false, any_left = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        bool usable = usable_here(s.endpoints[e]);
        usable_before |= usable;
        usable_after |= !covered(e) && (usable || usable_if_needed(s, c, e));
        any_left |= !s.endpoints[e].excluded && !covered(e);
    }
    bool touches = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) touches |= covered(e) && !s.endpoints[e].excluded;
    const bool loses = touches && ((usable_before && !usable_after) || !any_left);
    return loses ? std::optional(Loss{name, ""}) : std::nullopt;
}

/// Would the end of this force-up leave the service nothing that it could be answered from? `left` are the
/// overrides without it.
bool rests_on(const ServiceState& s, const ServiceContext& c, const Override& forced,
              std::span<const Override> left) {
    if (c.service.follows_primary()) return false; // its answer stays where the primary is
    const std::string name = c.service.title();
    bool before = false, after = false;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        const Place place = place_of(c.model, c.service, name, c.model.datacenter_of(c.service, e).name);
        const bool usable = usable_here(s.endpoints[e]);
        const bool by_force = ruling(c.overrides, place, c.now.wall) == &forced;
        const Override* next = by_force ? ruling(left, place, c.now.wall) : nullptr;
        const bool still_forced = next && next->kind == Override::Kind::force_up;
        before |= usable;
        after |= usable_if_needed(s, c, e) || (usable && (!by_force || still_forced));
    }
    return before && !after;
}

/// Tells which services would lose what they are answered from.
CommandResult refusal(const std::vector<Loss>& losses) {
    CommandResult result;
    std::string instead;
    std::size_t last = 0, others = 0;
    for (const Loss& l : losses) {
        result.details.push_back(l.service);
        last += l.instead.empty();
        if (l.instead.empty()) continue;
        if (instead.empty()) instead = l.instead;
        else ++others;
    }
    if (others > 0) instead += " (and " + std::to_string(others) + " more like it)";
    if (last > 0)
        instead = "it would take the last usable site of " + counted(last, "service") +
                  (instead.empty() ? "" : "; " + instead);
    result.message = "refused: " + instead + "; --force does it all the same";
    return result;
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
    std::vector<Loss> losses;
    for (const ServiceState& s : services)
        if (set.kind < Override::Kind::force_up)
            if (auto loss = takes_last(s, context(s.index, now), o.scope)) losses.push_back(std::move(*loss));
    if (!losses.empty() && !set.force) return refusal(losses);
    for (Loss& l : losses) result.details.push_back(std::move(l.service));
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

/// The freeze of a wider scope, or of one that it moves with, that holds a service.
std::string Engine::State::held_by_another(const Scope& scope, Now now) const {
    const auto index = model->find_titled(scope.service);
    const Override* f = index ? freezing_override(context(*index, now)) : nullptr;
    if (!f) return {};
    return "; what holds it is the freeze of " + f->scope.to_string() + " by " + f->operator_name + " (" +
           f->reason + "): fairwayctl unfreeze" +
           (f->scope.service.empty() ? "" : " --service " + f->scope.service);
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
    if (it == overrides.end())
        return refused("there is no " + what + " of " + scope.to_string() +
                       (end.kind == freeze ? held_by_another(scope, now) : ""));
    if (it->kind == force_up && !end.force) {
        std::vector<Override> left = overrides;
        std::erase_if(left, [&](auto& o) { return o.id == it->id; });
        std::vector<Loss> losses;
        for (const ServiceState& s : services)
            if (rests_on(s, context(s.index, now), *it, left))
                losses.push_back({model->services[s.index].title(), ""});
        if (!losses.empty()) return refusal(losses);
    }
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

} // namespace fairway::policies
