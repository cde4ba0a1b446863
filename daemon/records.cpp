// Records of the state store: written, and read back exactly as they were.
#include "daemon/json_parts.hpp"

namespace fairway::daemon {

using namespace policies;
using namespace parts;

namespace {

std::int64_t ms(WallTime t) { return t.time_since_epoch().count(); }
WallTime wall(const Json& j) { return WallTime(std::chrono::milliseconds(j.get<std::int64_t>())); }

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

Switch switch_of(const Json& j) {
    Switch s;
    s.id = j.at("id");
    s.cause = word(j.at("cause"), SwitchCause::requested_move);
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
    s.while_frozen = j.value("while_frozen", false);
    s.blind = j.value("blind", false);
    s.by_window = j.value("by_window", false);
    s.by_primary = j.value("by_primary", false);
    s.data_judged = j.value("data_judged", false);
    s.announced = std::chrono::milliseconds(j.value("announced", 0));
    s.failure = j.at("failure");
    return s;
}

ClaimRecord claim_of(const Json& j) {
    return {j.at("datacenter"), j.at("system"), opt<std::uint64_t>(j.at("epoch"))};
}

std::vector<IpAddress> addresses_of(const Json& texts) {
    std::vector<IpAddress> all;
    for (const auto& text : texts.get<std::vector<std::string>>())
        if (auto address = IpAddress::parse(text)) all.push_back(*address);
    return all;
}

Json texts_of(const std::vector<IpAddress>& addresses) {
    Json all = Json::array();
    for (const IpAddress& a : addresses) all.push_back(a.to_string());
    return all;
}

constexpr std::array<std::string_view, 5> plan_kinds{"servfail", "nodata", "draw", "by_client", "pooled"};
constexpr std::array<std::string_view, 3> pool_kinds{"draw", "stick", "all"};

template<std::size_t n>
std::size_t one_of(const std::array<std::string_view, n>& words, const Json& j, const char* field) {
    const auto word = std::ranges::find(words, j.at(field).get<std::string>());
    if (word == words.end()) throw Json::other_error::create(501, "unknown kind of plan", &j);
    return static_cast<std::size_t>(word - words.begin());
}

Pool pool_of(const Json& j) {
    Pool pool{.how = static_cast<Pool::How>(one_of(pool_kinds, j, "how"))};
    for (const Json& m : j.at("members"))
        pool.members.push_back({m.at("choice"), m.at("weight"), m.at("key")});
    return pool;
}

Json pool(const Pool& p) {
    Json members = Json::array();
    for (const Pool::Member& m : p.members)
        members.push_back({{"choice", m.choice}, {"weight", m.weight}, {"key", m.key}});
    return {{"how", pool_kinds[static_cast<std::size_t>(p.how)]}, {"members", members}};
}

PlanRecord plan_of(const Json& j) {
    PlanRecord r{.ttl = j.at("ttl"), .by_client = j.at("by_client").get<std::vector<std::uint16_t>>()};
    r.kind = static_cast<AnswerPlan::Kind>(one_of(plan_kinds, j, "kind"));
    for (const Json& p : j.value("pools", Json::array())) r.pools.push_back(pool_of(p));
    for (const Json& k : j.at("choices")) {
        PlanRecord::Choice choice{
            .datacenter = k.at("datacenter"), .weight = k.at("weight"), .cname = k.value("cname", "")};
        choice.addresses = addresses_of(k.at("addresses"));
        r.choices.push_back(std::move(choice));
    }
    return r;
}

Json plan(const PlanRecord& r) {
    Json choices = Json::array();
    for (const PlanRecord::Choice& k : r.choices) {
        choices.push_back({{"datacenter", k.datacenter},
                           {"weight", k.weight},
                           {"addresses", texts_of(k.addresses)},
                           {"cname", k.cname}});
    }
    Json pools = Json::array();
    for (const Pool& p : r.pools) pools.push_back(pool(p));
    return {{"kind", plan_kinds[static_cast<std::size_t>(r.kind)]},
            {"ttl", r.ttl},
            {"choices", choices},
            {"by_client", r.by_client},
            {"pools", pools}};
}

FaultRecord fault_of(const Json& j) {
    const auto lag = opt<std::int64_t>(j.at("lag_ms"));
    return {j.at("datacenter"), wall(j.at("at")),
            lag ? std::optional<Duration>(std::chrono::milliseconds(*lag)) : std::nullopt};
}

Json fault(const FaultRecord& f) {
    Json j{{"datacenter", f.datacenter}, {"at", ms(f.at)}, {"lag_ms", nullptr}};
    if (f.lag) j["lag_ms"] = std::chrono::duration_cast<std::chrono::milliseconds>(*f.lag).count();
    return j;
}

Json rejoin(const Rejoin& r) {
    return {{"switch", r.switch_id},
            {"datacenter", r.datacenter},
            {"to", r.to},
            {"since", ms(r.since)},
            {"failure", r.failure}};
}

std::optional<WallTime> maybe_wall(const Json& j, const char* key) {
    const auto found = j.find(key);
    return found == j.end() || found->is_null() ? std::nullopt : std::optional(wall(*found));
}

Json maybe_ms(const std::optional<WallTime>& t) { return t ? Json(ms(*t)) : Json(nullptr); }

/// What was told last; a record that an older version wrote has none of it.
void read_told(ServiceRecord& r, const Json& j) {
    for (const Json& e : j.value("endpoints", Json::array()))
        r.endpoints.push_back({e.at("datacenter"), e.at("fit"), e.at("degraded"), e.at("braked"),
                               e.at("pressed"), e.at("share"), wall(e.at("since"))});
    if (auto a = j.find("answer"); a != j.end() && !a->is_null())
        r.answer = AnswerRecord{a->at("text"), a->at("reason"), a->at("fingerprint"), wall(a->at("since"))};
    if (auto left = j.find("redundancy"); left != j.end() && !left->is_null())
        r.redundancy = RedundancyRecord{left->at("survives"), left->at("designed"), wall(left->at("since"))};
    r.missed = j.value("missed", "");
    r.missed_since = maybe_wall(j, "missed_since");
    r.all_down_since = maybe_wall(j, "all_down_since");
    r.excluded_since = maybe_wall(j, "excluded_since");
    r.awaiting_failback = j.value("awaiting_failback", false);
}

void write_told(Json& j, const ServiceRecord& r) {
    Json endpoints = Json::array();
    for (const EndpointRecord& e : r.endpoints)
        endpoints.push_back({{"datacenter", e.datacenter},
                             {"fit", e.fit},
                             {"degraded", e.degraded},
                             {"braked", e.braked},
                             {"pressed", e.pressed},
                             {"share", e.share},
                             {"since", ms(e.since)}});
    j["endpoints"] = std::move(endpoints);
    if (r.answer)
        j["answer"] = {{"text", r.answer->text},
                       {"reason", r.answer->reason},
                       {"fingerprint", r.answer->fingerprint},
                       {"since", ms(r.answer->since)}};
    if (r.redundancy)
        j["redundancy"] = {{"survives", r.redundancy->survives},
                           {"designed", r.redundancy->designed},
                           {"since", ms(r.redundancy->since)}};
    j["missed"] = r.missed;
    j["missed_since"] = maybe_ms(r.missed_since);
    j["all_down_since"] = maybe_ms(r.all_down_since);
    j["excluded_since"] = maybe_ms(r.excluded_since);
    j["awaiting_failback"] = r.awaiting_failback;
}

ServiceRecord service_of(const Json& j) {
    ServiceRecord r;
    r.service = j.at("service");
    r.served = j.value("served", false);
    r.active = opt<std::string>(j.at("active"));
    if (auto since = j.find("active_since"); since != j.end() && !since->is_null())
        r.active_since = wall(*since);
    r.moves = j.value("moves", std::uint64_t{0});
    if (!j.at("followed").is_null()) r.followed = claim_of(j.at("followed"));
    if (auto since = j.find("no_primary_since"); since != j.end() && !since->is_null())
        r.no_primary_since = wall(*since);
    r.no_primary_critical = j.value("no_primary_critical", false);
    r.last_good = j.at("last_good").get<std::vector<std::string>>();
    for (const Json& back : j.value("returns", Json::array()))
        r.returns.push_back({back.at("datacenter"), wall(back.at("at")), back.at("suppressed"),
                             back.contains("ramp_step") ? opt<unsigned>(back.at("ramp_step")) : std::nullopt,
                             back.contains("ramp_since") ? wall(back.at("ramp_since")) : WallTime{}});
    for (const Json& out : j.value("outs", Json::array()))
        r.outs.push_back({out.at("datacenter"), wall(out.at("since"))});
    for (const Json& limit : j.value("limits", Json::array()))
        r.limits.push_back({limit.at("datacenter"), limit.at("limit")});
    r.load_lag = std::chrono::milliseconds(j.value("load_lag", 0));
    if (auto frozen = j.find("frozen"); frozen != j.end() && !frozen->is_null()) r.frozen = plan_of(*frozen);
    if (!j.at("running").is_null()) r.running = switch_of(j.at("running"));
    if (auto back = j.find("rejoin"); back != j.end() && !back->is_null())
        r.rejoin = Rejoin{back->at("switch"), back->at("datacenter"), back->at("to"), wall(back->at("since")),
                          back->at("failure")};
    if (auto since = j.find("diverging_since"); since != j.end() && !since->is_null())
        r.diverging_since = wall(*since);
    if (auto f = j.find("fault"); f != j.end() && !f->is_null()) r.fault = fault_of(*f);
    read_told(r, j);
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
            .requirements_hold = opt<bool>(j.at("requirements_hold")),
            .keeps_up = opt<bool>(j.value("keeps_up", j.at("requirements_hold"))), // once they were one
            .degraded = j.value("degraded", false),
            .weight = opt<double>(j.value("weight", Json(nullptr)))};
}

Override override_of(const Json& j) {
    return {.id = j.at("id"),
            .kind = word(j.at("kind"), Override::Kind::drill),
            .scope = {j.at("service"), j.at("datacenter"), j.value("tag", "")},
            .reason = j.at("reason"),
            .operator_name = j.at("operator"),
            .since = wall(j.at("since")),
            .expires = wall(j.at("expires")),
            .with_hooks = j.value("with_hooks", false)};
}

AliasRecord alias_of(const Json& j) {
    return {j.at("service"), j.at("datacenter"), j.at("name"), addresses_of(j.at("addresses"))};
}

LearnedRecord learned_of(const Json& j) {
    const auto network = Prefix::parse(j.at("network").get<std::string>());
    if (!network) throw Json::other_error::create(501, "no network", &j);
    LearnedRecord r{*network, {}};
    for (const Json& s : j.at("sites"))
        r.sites.push_back({s.at("datacenter"), s.at("mean_ms"), s.at("weight"), wall(s.at("at")),
                           opt<unsigned>(s.at("used_ms"))});
    return r;
}

Json learned(const LearnedRecord& r) {
    Json sites = Json::array();
    for (const auto& s : r.sites)
        sites.push_back({{"datacenter", s.datacenter},
                         {"mean_ms", s.mean_ms},
                         {"weight", s.weight},
                         {"at", ms(s.at)},
                         {"used_ms", maybe(s.used_ms)}});
    return {{"network", r.network.to_string()}, {"sites", sites}};
}

template<class F> auto read(std::string_view text, F f) -> std::optional<decltype(f(Json()))> {
    try {
        return f(Json::parse(text));
    } catch (const Json::exception&) { return std::nullopt; }
}

}

namespace parts {

std::string dump(const Json& j) { return j.dump(-1, ' ', false, Json::error_handler_t::replace); }

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
            {"while_frozen", s.while_frozen},
            {"blind", s.blind},
            {"by_window", s.by_window},
            {"by_primary", s.by_primary},
            {"data_judged", s.data_judged},
            {"announced", std::chrono::floor<std::chrono::milliseconds>(s.announced).count()},
            {"failure", s.failure}};
}

Json claim(const std::optional<ClaimRecord>& c) {
    if (!c) return nullptr;
    return {{"datacenter", c->datacenter}, {"system", c->system}, {"epoch", maybe(c->epoch)}};
}

Json shown(const Override& o) {
    return {{"id", o.id},
            {"kind", to_string(o.kind)},
            {"service", o.scope.service},
            {"datacenter", o.scope.datacenter},
            {"tag", o.scope.tag},
            {"reason", o.reason},
            {"operator", o.operator_name},
            {"since", to_string(o.since)},
            {"expires", to_string(o.expires)},
            {"with_hooks", o.with_hooks}};
}

}

std::string to_json(const ServiceRecord& r) {
    Json returns = Json::array();
    for (const ReturnRecord& back : r.returns)
        returns.push_back({{"datacenter", back.datacenter},
                           {"at", ms(back.at)},
                           {"suppressed", back.suppressed},
                           {"ramp_step", maybe(back.ramp_step)},
                           {"ramp_since", ms(back.ramp_since)}});
    Json outs = Json::array();
    for (const OutRecord& o : r.outs) outs.push_back({{"datacenter", o.datacenter}, {"since", ms(o.since)}});
    Json limits = Json::array();
    for (const LimitRecord& l : r.limits)
        limits.push_back({{"datacenter", l.datacenter}, {"limit", l.limit}});
    Json j = {{"service", r.service},
              {"served", r.served},
              {"active", maybe(r.active)},
              {"active_since", r.active_since ? Json(ms(*r.active_since)) : Json(nullptr)},
              {"moves", r.moves},
              {"followed", claim(r.followed)},
              {"no_primary_since", r.no_primary_since ? Json(ms(*r.no_primary_since)) : Json(nullptr)},
              {"no_primary_critical", r.no_primary_critical},
              {"last_good", r.last_good},
              {"returns", returns},
              {"outs", outs},
              {"limits", limits},
              {"load_lag", std::chrono::floor<std::chrono::milliseconds>(r.load_lag).count()},
              {"frozen", r.frozen ? plan(*r.frozen) : Json(nullptr)},
              {"running", r.running ? switch_record(*r.running) : Json(nullptr)},
              {"diverging_since", r.diverging_since ? Json(ms(*r.diverging_since)) : Json(nullptr)},
              {"rejoin", r.rejoin ? rejoin(*r.rejoin) : Json(nullptr)},
              {"fault", r.fault ? fault(*r.fault) : Json(nullptr)}};
    write_told(j, r);
    return dump(j);
}

std::string to_json(const MemberRecord& r) {
    return dump({{"key", r.key},
                 {"decided", r.decided},
                 {"up", r.up},
                 {"since", ms(r.since)},
                 {"passes", r.passes},
                 {"fails", r.fails},
                 {"run_since", ms(r.run_since)},
                 {"requirements_hold", maybe(r.requirements_hold)},
                 {"keeps_up", maybe(r.keeps_up)},
                 {"degraded", r.degraded},
                 {"weight", maybe(r.weight)}});
}

std::string to_json(const Override& o) {
    Json j = shown(o);
    j["since"] = ms(o.since);
    j["expires"] = ms(o.expires);
    return dump(j);
}

std::string to_json(const AliasRecord& r) {
    return dump({{"service", r.service},
                 {"datacenter", r.datacenter},
                 {"name", r.name},
                 {"addresses", texts_of(r.addresses)}});
}

std::string to_json(const LearnedRecord& r) { return dump(learned(r)); }

std::string to_json(const std::vector<LearnedRecord>& known) {
    Json all = Json::array();
    for (const LearnedRecord& r : known) {
        Json one = learned(r);
        for (std::size_t i = 0; i < r.sites.size(); ++i) one["sites"][i]["at"] = to_string(r.sites[i].at);
        all.push_back(std::move(one));
    }
    return dump({{"networks", all}});
}

std::optional<ServiceRecord> service_record(std::string_view json) { return read(json, service_of); }
std::optional<MemberRecord> member_record(std::string_view json) { return read(json, member_of); }
std::optional<Override> override_record(std::string_view json) { return read(json, override_of); }
std::optional<AliasRecord> alias_record(std::string_view json) { return read(json, alias_of); }
std::optional<LearnedRecord> learned_record(std::string_view json) { return read(json, learned_of); }

} // namespace fairway::daemon
