#include "daemon/serialize.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace fairway::daemon {

using namespace policies;
using Json = nlohmann::ordered_json;

namespace {

/// What probes and hooks say may be any bytes: those that are no UTF-8 are replaced, never thrown at.
std::string dump(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }
WallTime wall(const Json& j) { return WallTime(std::chrono::milliseconds(j.get<std::int64_t>())); }

template<class T> Json maybe(const std::optional<T>& v) { return v ? Json(*v) : Json(nullptr); }
Json lag_ms(const std::optional<Duration>& lag) {
    return lag ? Json(std::chrono::duration<double, std::milli>(*lag).count()) : Json(nullptr);
}
template<class T> std::optional<T> opt(const Json& j) {
    return j.is_null() ? std::nullopt : std::optional<T>(j.get<T>());
}

/// Enumerations are written as their words; a word nobody knows is an error of the record.
template<class E> E word(const Json& j, E last) {
    const auto text = j.get<std::string>();
    for (int i = 0; i <= static_cast<int>(last); ++i)
        if (to_string(static_cast<E>(i)) == text) return static_cast<E>(i);
    throw Json::other_error::create(501, "unknown word " + text, &j);
}

Json addresses(const std::vector<IpAddress>& all) {
    Json list = Json::array();
    for (const auto& a : all) list.push_back(a.to_string());
    return list;
}

// ---- records

Json switch_record(const Switch& s) {
    return {{"id", s.id},
            {"cause", to_string(s.cause)},
            {"step", to_string(s.step)},
            {"from", s.from},
            {"to", s.to},
            {"reason", s.reason},
            {"operator", s.operator_name},
            {"started", ms(s.started)},
            {"step_since", ms(s.step_since)},
            {"resume", to_string(s.resume)},
            {"fence_begun", s.fence_begun},
            {"approved", s.approved},
            {"data_judged", s.data_judged},
            {"failure", s.failure}};
}

Switch switch_of(const Json& j) {
    Switch s;
    s.id = j.at("id");
    s.cause = word(j.at("cause"), SwitchCause::requested_failback);
    s.step = word(j.at("step"), SwitchStep::obsolete);
    s.from = j.at("from");
    s.to = j.at("to");
    s.reason = j.at("reason");
    s.operator_name = j.at("operator");
    s.started = wall(j.at("started"));
    s.step_since = wall(j.at("step_since"));
    s.resume = word(j.at("resume"), SwitchStep::obsolete);
    s.fence_begun = j.at("fence_begun");
    s.approved = j.at("approved");
    s.data_judged = j.value("data_judged", false);
    s.failure = j.at("failure");
    return s;
}

Json claim(const std::optional<ClaimRecord>& c) {
    if (!c) return nullptr;
    return {{"datacenter", c->datacenter}, {"system", c->system}, {"epoch", maybe(c->epoch)}};
}

ClaimRecord claim_of(const Json& j) {
    return {j.at("datacenter"), j.at("system"), opt<std::uint64_t>(j.at("epoch"))};
}

ServiceRecord service_of(const Json& j) {
    ServiceRecord r;
    r.service = j.at("service");
    r.active = opt<std::string>(j.at("active"));
    r.moves = j.value("moves", std::uint64_t{0});
    if (!j.at("followed").is_null()) r.followed = claim_of(j.at("followed"));
    if (auto since = j.find("no_primary_since"); since != j.end() && !since->is_null())
        r.no_primary_since = wall(*since);
    r.no_primary_critical = j.value("no_primary_critical", false);
    r.last_good = j.at("last_good").get<std::vector<std::string>>();
    if (!j.at("running").is_null()) r.running = switch_of(j.at("running"));
    return r;
}

MemberRecord member_of(const Json& j) {
    return {.key = j.at("key"),
            .decided = j.value("decided", true),
            .up = j.at("up"),
            .since = wall(j.at("since")),
            .passes = j.at("passes"),
            .fails = j.at("fails"),
            .run_since = wall(j.at("run_since")),
            .requirements_hold = opt<bool>(j.at("requirements_hold"))};
}

constexpr std::string_view kind_word(Override::Kind kind) {
    switch (kind) {
    case Override::Kind::drain: return "drain";
    }
    return "";
}

Override override_of(const Json& j) {
    if (j.at("kind") != "drain") throw Json::other_error::create(501, "unknown kind of override", &j);
    return {j.at("id"),           Override::Kind::drain, {j.at("service"), j.at("datacenter")},
            j.at("reason"),       j.at("operator"),      wall(j.at("since")),
            wall(j.at("expires"))};
}

template<class F> auto read(std::string_view text, F f) -> std::optional<decltype(f(Json()))> {
    try {
        return f(Json::parse(text));
    } catch (const Json::exception&) { return std::nullopt; }
}

// ---- the report

Json json(const Alarm& a, Now now) {
    return {{"id", a.id},           {"severity", to_string(a.severity)},
            {"service", a.service}, {"datacenter", a.datacenter},
            {"text", a.text},       {"since", to_string(now.wall_at(a.since))}};
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
            {"in_plan", e.in_plan},
            {"share", e.share},
            {"role", role_word(e.role)},
            {"epoch", maybe(e.epoch)},
            {"lag_ms", lag_ms(e.lag)},
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
            {"followed", claim(s.followed)}};
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
            {"verdict", to_string(m.verdict)},
            {"requirements", to_string(m.requirements)},
            {"held", m.held},
            {"last", json(m.last, now)},
            {"lag_ms", lag_ms(m.lag)},
            {"passes", m.passes},
            {"fails", m.fails},
            {"since", to_string(now.wall_at(m.since))}};
}

Json shown(const Override& o) {
    return {{"id", o.id},
            {"kind", kind_word(o.kind)},
            {"service", o.scope.service},
            {"datacenter", o.scope.datacenter},
            {"reason", o.reason},
            {"operator", o.operator_name},
            {"since", to_string(o.since)},
            {"expires", to_string(o.expires)}};
}

template<class T, class... More> Json list(const std::vector<T>& all, const More&... more) {
    Json j = Json::array();
    for (const auto& item : all) j.push_back(json(item, more...));
    return j;
}

struct CommandWords {
    Json operator()(const Drain& c) const {
        return {{"command", "drain"},
                {"scope", c.scope.to_string()},
                {"reason", c.reason},
                {"for", to_string(c.lasts)},
                {"force", c.force}};
    }
    Json operator()(const Undrain& c) const {
        return {{"command", "undrain"}, {"scope", c.scope.to_string()}};
    }
    Json operator()(const Failover& c) const {
        return {
            {"command", "failover"}, {"service", c.service}, {"to", c.to}, {"accept_claim", c.accept_claim}};
    }
    Json operator()(const Failback& c) const { return {{"command", "failback"}, {"service", c.service}}; }
    Json operator()(const Approve& c) const { return {{"command", "approve"}, {"id", c.switch_id}}; }
};

}

std::string to_json(const ServiceRecord& r) {
    return dump({{"service", r.service},
                 {"active", maybe(r.active)},
                 {"moves", r.moves},
                 {"followed", claim(r.followed)},
                 {"no_primary_since", r.no_primary_since ? Json(ms(*r.no_primary_since)) : Json(nullptr)},
                 {"no_primary_critical", r.no_primary_critical},
                 {"last_good", r.last_good},
                 {"running", r.running ? switch_record(*r.running) : Json(nullptr)}});
}

std::string to_json(const MemberRecord& r) {
    return dump({{"key", r.key},
                 {"decided", r.decided},
                 {"up", r.up},
                 {"since", ms(r.since)},
                 {"passes", r.passes},
                 {"fails", r.fails},
                 {"run_since", ms(r.run_since)},
                 {"requirements_hold", maybe(r.requirements_hold)}});
}

std::string to_json(const Override& o) {
    Json j = shown(o);
    j["since"] = ms(o.since);
    j["expires"] = ms(o.expires);
    return dump(j);
}

std::optional<ServiceRecord> service_record(std::string_view json) { return read(json, service_of); }
std::optional<MemberRecord> member_record(std::string_view json) { return read(json, member_of); }
std::optional<Override> override_record(std::string_view json) { return read(json, override_of); }

std::string to_json(const Report& r) {
    Json overrides = Json::array();
    for (const auto& o : r.overrides) overrides.push_back(shown(o));
    return dump({{"at", to_string(r.at.wall)},
                 {"generation", r.generation},
                 {"doubt", r.doubt},
                 {"alarms", list(r.alarms, r.at)},
                 {"services", list(r.services, r.at)},
                 {"members", list(r.members, r.at)},
                 {"overrides", std::move(overrides)}});
}

std::string to_json(const Explanation& e) {
    Json lines = Json::array(), answer = Json::array();
    for (const auto& l : e.lines)
        lines.push_back(
            {{"stage", l.stage}, {"subject", l.subject}, {"verdict", l.verdict}, {"reason", l.reason}});
    for (const auto& o : e.answer)
        answer.push_back({{"datacenter", o.datacenter},
                          {"addresses", addresses(o.addresses)},
                          {"probability", o.probability}});
    return dump({{"name", e.name},
                 {"client", e.client},
                 {"ttl", e.ttl},
                 {"lines", std::move(lines)},
                 {"answer", std::move(answer)}});
}

std::string to_json(const CommandResult& r) {
    return dump({{"accepted", r.accepted}, {"message", r.message}, {"details", r.details}});
}

std::string to_json(const Transition& t, Now now) {
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
    return dump(j);
}

std::string to_json(const Command& c) {
    Json j = std::visit(CommandWords{}, c.what);
    j["operator"] = c.operator_name;
    return dump(j);
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
