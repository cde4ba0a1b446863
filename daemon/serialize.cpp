#include "daemon/serialize.hpp"

#include "daemon/explained.hpp"
#include "daemon/explanation.hpp"
#include "daemon/json_parts.hpp"

#include <array>

namespace fairway::daemon {

using namespace policies;
using namespace parts;

namespace {

Json lag_ms(const std::optional<Duration>& lag) {
    return lag ? Json(std::chrono::duration<double, std::milli>(*lag).count()) : Json(nullptr);
}

Json addresses(const std::vector<IpAddress>& all) {
    Json list = Json::array();
    for (const auto& a : all) list.push_back(a.to_string());
    return list;
}

Json json(const Alarm& a, Now now) {
    return {{"id", a.id},           {"severity", to_string(a.severity)},
            {"service", a.service}, {"datacenter", a.datacenter},
            {"text", a.text},       {"since", to_string(now.wall_at(a.since))},
            {"drill", a.drill}};
}

Json role_word(const std::optional<Role>& role) {
    if (!role) return nullptr;
    return *role == Role::primary ? "primary" : "standby";
}

Json json(const EndpointReport& e, Now now) {
    return {{"datacenter", e.datacenter},
            {"application", to_string(e.application)},
            {"stateful", to_string(e.stateful)},
            {"fit", e.fit},
            {"excluded", e.excluded},
            {"braked", e.braked},
            {"suppressed", e.suppressed},
            {"degraded", e.degraded},
            {"in_plan", e.in_plan},
            {"share", e.share},
            {"role", role_word(e.role)},
            {"epoch", maybe(e.epoch)},
            {"lag_ms", lag_ms(e.lag)},
            {"load", maybe(e.load)},
            {"capacity", maybe(e.capacity)},
            {"use", maybe(e.use)},
            {"limit", e.limit},
            {"addresses", addresses(e.addresses)},
            {"reason", e.reason},
            {"since", to_string(now.wall_at(e.since))}};
}

/// A switch with times for people.
Json shown(const std::optional<Switch>& s) {
    if (!s) return nullptr;
    Json j = switch_record(*s);
    j["started"] = to_string(s->started);
    j["step_since"] = to_string(s->step_since);
    return j;
}

Json fault(const std::optional<FaultRecord>& f) {
    if (!f) return nullptr;
    return {{"datacenter", f->datacenter}, {"at", to_string(f->at)}, {"lag_ms", lag_ms(f->lag)}};
}

Json json(const ServiceReport& s, Now now) {
    Json endpoints = Json::array();
    for (const auto& e : s.endpoints) endpoints.push_back(json(e, now));
    return {{"name", s.name},
            {"policy", s.policy},
            {"state", s.state},
            {"active", s.active},
            {"preferred", s.preferred},
            {"reason", s.reason},
            {"since", to_string(now.wall_at(s.since))},
            {"ttl", s.ttl},
            {"endpoints", std::move(endpoints)},
            {"switch", shown(s.running)},
            {"followed", claim(s.followed)},
            {"survives", s.survives},
            {"designed_to_survive", s.designed},
            {"group", s.group},
            {"diverging_since", s.diverging_since ? Json(to_string(*s.diverging_since)) : Json(nullptr)},
            {"last_fault", fault(s.fault)},
            {"objectives_missed", s.missed}};
}

Json json(const DatacenterReport& d) {
    return {{"name", d.name},      {"capacity", maybe(d.capacity)}, {"load", maybe(d.load)},
            {"use", maybe(d.use)}, {"services", d.services},        {"answers", d.answers}};
}

Json json(const std::optional<DrillReport>& d) {
    if (!d) return nullptr;
    return {{"datacenter", d->datacenter},
            {"running", d->running},
            {"reason", d->reason},
            {"operator", d->operator_name},
            {"with_hooks", d->with_hooks},
            {"since", to_string(d->since)},
            {"until", to_string(d->until)},
            {"ended", d->ended},
            {"seen_ms", lag_ms(d->seen)},
            {"decided_ms", lag_ms(d->decided)},
            {"published_ms", lag_ms(d->published)},
            {"held", d->held}};
}

Json json(const std::optional<Observation>& o, Now now) {
    if (!o) return nullptr;
    return {{"outcome", to_string(o->outcome)},
            {"reason", to_string(o->reason)},
            {"detail", o->detail},
            {"facts", o->facts.to_string()},
            {"begun", to_string(now.wall_at(o->begun))},
            {"ended", to_string(now.wall_at(o->ended))}};
}

Json json(const MemberReport& m, Now now) {
    return {{"id", m.id},
            {"check", m.check},
            {"kind", m.kind},
            {"target", m.target},
            {"datacenter", m.datacenter},
            {"services", m.services},
            {"verdict", to_string(m.verdict)},
            {"requirements", to_string(m.requirements)},
            {"held", m.held},
            {"last", json(m.last, now)},
            {"lag_ms", lag_ms(m.lag)},
            {"passes", m.passes},
            {"fails", m.fails},
            {"since", to_string(now.wall_at(m.since))}};
}

template<class T, class... More> Json list(const std::vector<T>& all, const More&... more) {
    Json j = Json::array();
    for (const auto& item : all) j.push_back(json(item, more...));
    return j;
}

struct CommandWords {
    Json operator()(const SetOverride& c) const {
        return {{"command", to_string(c.kind)},
                {"scope", c.scope.to_string()},
                {"reason", c.reason},
                {"for", to_string(c.lasts)},
                {"force", c.force}};
    }
    Json operator()(const EndOverride& c) const {
        const bool either = c.kind == Override::Kind::force_up || c.kind == Override::Kind::force_down;
        return {{"command", either ? "end force" : "end " + std::string(to_string(c.kind))},
                {"scope", c.scope.to_string()},
                {"force", c.force}};
    }
    Json operator()(const Failover& c) const {
        return {
            {"command", "failover"}, {"service", c.service}, {"to", c.to}, {"accept_claim", c.accept_claim}};
    }
    Json operator()(const Failback& c) const { return {{"command", "failback"}, {"service", c.service}}; }
    Json operator()(const Approve& c) const {
        return {{"command", "approve"}, {"id", c.switch_id}, {"dry_run", c.dry_run}};
    }
    Json operator()(const Move& c) const {
        return {{"command", "switch"}, {"service", c.service}, {"to", c.to}, {"dry_run", c.dry_run}};
    }
    Json operator()(const Abort& c) const {
        return {{"command", "abort"}, {"service", c.service}, {"force", c.force}};
    }
};

}

std::string to_json(const Report& r) {
    Json overrides = Json::array();
    for (const auto& o : r.overrides) overrides.push_back(shown(o));
    return dump({{"at", to_string(r.at.wall)},
                 {"generation", r.generation},
                 {"doubt", r.doubt},
                 {"alarms", list(r.alarms, r.at)},
                 {"datacenters", list(r.datacenters)},
                 {"drill", json(r.drill)},
                 {"services", list(r.services, r.at)},
                 {"members", list(r.members, r.at)},
                 {"overrides", std::move(overrides)}});
}

std::string to_json(const Explained& e) {
    Json j = Json::parse(to_json(e.decision));
    j["type"] = e.type;
    j["wire"] = {{"rcode", e.wire.rcode},
                 {"authoritative", e.wire.authoritative},
                 {"answer", e.wire.answer},
                 {"authority", e.wire.authority},
                 {"additional", e.wire.additional}};
    return dump(j);
}

std::string to_json(const CommandResult& r, const std::optional<std::string>& not_stored) {
    Json j = {{"accepted", r.accepted}, {"message", r.message}, {"details", r.details}};
    if (not_stored) j["not_stored"] = *not_stored;
    return dump(j);
}

namespace {
Json json(const Transition& t, Now now) {
    Json j = {{"change", to_string(t.change)},
              {"severity", to_string(t.severity)},
              {"service", t.service},
              {"datacenter", t.datacenter},
              {"subject", t.subject},
              {"from", t.from},
              {"to", t.to},
              {"reason", t.reason},
              {"evidence", t.evidence}};
    j["fault"] = t.fault ? Json(to_string(now.wall_at(*t.fault))) : Json(nullptr);
    j["decided"] = to_string(now.wall_at(t.decided));
    j["drill"] = t.drill;
    return j;
}
}

std::string to_json(const Transition& t, Now now) { return dump(json(t, now)); }

std::string to_json(const Happening& h, Now now) {
    Json j = {{"id", h.id}};
    j.update(json(h.transition, now));
    return dump(j);
}

std::string to_json(const Command& c) {
    Json j = std::visit(CommandWords{}, c.what);
    j["operator"] = c.operator_name;
    return dump(j);
}

JournalEntry command_entry(const Command& c) {
    JournalEntry e{.kind = JournalEntry::Kind::command, .record = to_json(c)};
    std::visit(
        [&e](const auto& what) {
            if constexpr (requires { what.scope; }) {
                e.service = what.scope.service;
                e.datacenter = what.scope.datacenter;
            }
            if constexpr (requires { what.service; }) e.service = what.service;
            if constexpr (requires { what.to; }) e.datacenter = what.to;
        },
        c.what);
    e.what = std::visit(CommandWords{}, c.what)["command"].get<std::string>();
    return e;
}

std::string hook_json(const Service& service, const HookRequest& r) {
    return dump({{"id", r.switch_id},
                 {"service", service.name.to_string()},
                 {"step", step_name(r.step)},
                 {"from", r.from},
                 {"to", r.to},
                 {"reason", r.reason},
                 {"lag_ms", lag_ms(r.lag)}});
}

std::string hook_result_json(const HookResult& r, Duration took) {
    return dump({{"ok", r.ok}, {"detail", r.detail}, {"took_ms", lag_ms(took)}});
}

std::string_view step_name(Hook::Step step) {
    static constexpr std::array<std::string_view, 6> words{"prepare",        "fence",  "promote",
                                                           "after_failover", "rejoin", "failback"};
    return words.at(static_cast<std::size_t>(step));
}

std::string to_json(const About& a) {
    return dump({{"version", a.version},
                 {"pid", a.pid},
                 {"started", to_string(a.started)},
                 {"configuration", a.configuration}});
}

std::string error_json(std::string_view error) { return dump({{"error", error}}); }

} // namespace fairway::daemon
