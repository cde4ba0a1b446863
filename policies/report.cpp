// What the engine knows, as plain values: the report and its alarms.
#include "policies/all_down.hpp"
#include "policies/engine_state.hpp"
#include "policies/overrides.hpp"
#include "policies/rules.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

std::string policy_name(const Service& s) {
    if (s.follows_primary()) return "active_passive, follow primary";
    return to_string(s.policy);
}

std::string state_word(const ServiceState& s, const Service& service) {
    if (!s.served) return "undecided";
    if (s.frozen) return "frozen";
    if (!has_family(service)) return "no address";
    if (s.all_excluded) return "excluded";
    if (s.all_down) return "all down: " + std::string(to_string(service.on_all_down.mode));
    if (!s.primaries.empty()) return "held: two primaries";
    if (s.no_primary) return "held: no primary";
    if (s.running) return "switching: " + std::string(to_string(s.running->step));
    if (s.partial_failure) return "partial failure";
    if (s.diverging_since) return "diverging";
    return s.awaiting_failback ? "awaiting failback" : "serving";
}

/// "east and west".
std::string sites_of(std::span<const EndpointIndex> endpoints, const ServiceContext& c) {
    std::string text;
    for (EndpointIndex e : endpoints)
        text += (text.empty() ? "" : " and ") + c.model.datacenter_of(c.service, e).name;
    return text;
}

/// Why no switch has begun although there is a hook to promote with (L15).
std::string waits_for(const ServiceState& s, const ServiceContext& c) {
    std::vector<EndpointIndex> ready;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
        if (can_take_over(s, c, e) && !(s.followed && s.followed->endpoint == e)) ready.push_back(e);
    if (ready.empty()) return "; no standby can take over yet";
    const std::string who = "; " + sites_of(ready, c) + " could take over";
    if (!s.drill_held.empty()) return who + ", a drill promotes nothing";
    if (s.no_primary_critical || !s.followed) return who;
    return who + ": it waits for " + brief(c.service.no_primary_hold) + " (no_primary_hold) while " +
           c.model.datacenter_of(c.service, s.followed->endpoint).name +
           " still answers as a standby, as in a switchover by hand";
}

/// Why it answers what it answers: while something is held, what holds it and what would end that.
std::string reason_text(const ServiceState& s, const ServiceContext& c) {
    if (!s.primaries.empty())
        return sites_of(s.primaries, c) +
               " are primary at the same time: nothing moves until one of them is gone";
    if (!s.no_primary) return s.reason;
    std::string text = "no primary is seen";
    if (s.followed)
        text += ", the answer stays at " + c.model.datacenter_of(c.service, s.followed->endpoint).name;
    if (s.running) return text + "; switch " + s.running->id + ": " + std::string(to_string(s.running->step));
    if (c.service.hooks.contains(Hook::Step::promote)) return text + waits_for(s, c);
    return text + "; no promote hook is configured: promote a standby by hand, traffic follows it";
}

std::string preferred(const ServiceContext& c) {
    auto* p = std::get_if<ActivePassive>(&c.service.policy);
    if (!p || p->order.empty()) return {};
    return c.model.datacenter_of(c.service, p->order.front()).name; // where `failback` would lead
}

MemberReport report_of(const MemberState& m, Instant started) {
    const Check& check = *m.spec.check;
    MemberReport r{.id = m.id,
                   .check = check.name,
                   .kind = std::string(kind_name(check.kind)),
                   .target = m.spec.target_text(),
                   .datacenter = m.spec.datacenter,
                   .verdict = m.health.works.verdict,
                   .requirements = m.health.requirements(),
                   .held = m.health.held,
                   .passes = m.health.works.passes,
                   .fails = m.health.works.fails,
                   .since = m.health.works.since == Instant{} ? started : m.health.works.since};
    if (m.health.last.begun != Instant{}) r.last = m.health.last;
    if (r.last && r.last->outcome == Outcome::unknown)
        r.verdict = Readiness::undecided; // never shown as up or down
    if (m.lag) r.lag = m.lag->time;
    return r;
}

void role_of(EndpointReport& r, const BoundEndpoint& bound, std::span<const MemberState> members) {
    for (const BoundCheck& b : bound.stateful)
        for (MemberSlot slot : b.members) {
            const RoleTrack& t = members[slot].health.claim;
            if (!t.role || (r.role == Role::primary && t.role != Role::primary)) continue;
            r.role = t.role;
            r.epoch = t.epoch;
        }
}

double share_of(const AnswerPlan& plan, EndpointIndex e) {
    double share = 0;
    const std::vector<double> of = shares(plan);
    for (std::size_t i = 0; i < of.size(); ++i)
        if (plan.choices[i].endpoint == e) share += of[i];
    return share;
}

EndpointReport report_of(const ServiceState& s, const ServiceContext& c, EndpointIndex e,
                         const Candidate& k) {
    const EndpointState& state = s.endpoints[e];
    EndpointReport r{.datacenter = c.model.datacenter_of(c.service, e).name,
                     .application = state.assessment.application,
                     .stateful = state.assessment.stateful,
                     .fit = state.fit,
                     .excluded = state.excluded,
                     .braked = state.braked,
                     .suppressed = state.damping.suppressed && state.readiness == Readiness::ready,
                     .degraded = state.degraded,
                     .share = share_of(s.plan, e),
                     .lag = lag_of(c, e),
                     .capacity = c.service.load ? capacity_of(c, e) : std::nullopt,
                     .limit = k.limit,
                     .addresses = k.addresses,
                     .reason = unfit_reason(s, c, e),
                     .since = state.since};
    r.in_plan = std::ranges::any_of(s.plan.choices, [&](auto& choice) { return choice.endpoint == e; });
    if (auto known = load_of(c, e)) {
        r.load = known->load;
        r.capacity = known->capacity;
        r.use = known->use();
    }
    role_of(r, c.bound[e], c.members);
    return r;
}

ServiceReport report_of(const ServiceState& s, const ServiceContext& c) {
    ServiceReport r{.name = c.service.title(),
                    .policy = policy_name(c.service),
                    .state = state_word(s, c.service),
                    .preferred = preferred(c),
                    .reason = reason_text(s, c),
                    .since = s.plan_since,
                    .ttl = s.plan.ttl,
                    .running = s.running};
    if (s.plan.choices.size() == 1 && s.plan.choices[0].endpoint != no_endpoint)
        r.active = c.model.datacenter_of(c.service, s.plan.choices[0].endpoint).name;
    r.followed = record_of(s, c.model, c.now).followed;
    const Redundancy redundant = standing(s, c).redundancy;
    r.survives = redundant.survives;
    r.designed = redundant.designed;
    r.missed = s.missed;
    r.fault = s.fault;
    r.diverging_since = s.diverging_since;
    if (c.service.group) r.group = c.model.groups[*c.service.group].name;
    auto list = candidates(s, c);
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) r.endpoints.push_back(report_of(s, c, e, list[e]));
    return r;
}

/// The alarms of one service, derived from its state: raised and cleared with it.
class Alarms {
  public:
    Alarms(std::vector<Alarm>& out, const ServiceState& s, const ServiceContext& c)
        : out_(out), s_(s), c_(c) {}

    void collect() {
        const Override* f = freezing_override(c_);
        if (s_.frozen && f)
            add("frozen", Severity::warning, "frozen by " + f->operator_name + " (" + f->reason + ")",
                c_.now.at(f->since));
        if (s_.all_down) add("all_down", Severity::critical, "nothing is fit", s_.all_down_since);
        if (s_.all_excluded)
            add("all_excluded", Severity::critical, "everything is excluded by an operator",
                s_.excluded_since);
        if (s_.no_primary_critical)
            add("no_primary", Severity::critical, "no primary: the answer is held",
                s_.unclaimed_since.value_or(s_.plan_since));
        else if (s_.no_primary)
            add("no_primary", Severity::warning, "no primary: the answer is held",
                s_.unclaimed_since.value_or(s_.plan_since));
        if (!s_.primaries.empty())
            add("two_primaries", Severity::critical,
                sites_of(s_.primaries, c_) + " are primary at the same time: nothing moves",
                s_.primaries_since);
        if (!s_.refused_claims.empty())
            add("stale_claim", Severity::critical,
                sites_of(s_.refused_claims, c_) +
                    " claims to be primary and is not believed; `fairwayctl failover " + c_.service.title() +
                    " --to " + dc(s_.refused_claims.front()) + " --accept-claim` takes it",
                s_.refused_since, dc(s_.refused_claims.front()));
        if (s_.partial_failure)
            add("partial_failure", Severity::critical, "the primary's application is down", s_.partial_since,
                dc(s_.followed->endpoint));
        if (s_.running && s_.running->step == SwitchStep::awaiting_approval)
            add("approval", Severity::critical,
                "fairwayctl approve " + s_.running->id + ": " + s_.running->failure,
                c_.now.at(s_.running->step_since), s_.running->to);
        if (s_.rejoin && !s_.rejoin->failure.empty())
            add("rejoin", Severity::critical, "the rejoin hook failed: " + s_.rejoin->failure,
                c_.now.at(s_.rejoin->since), s_.rejoin->datacenter);
        if (s_.diverging_since)
            add("diverging", Severity::critical,
                "both sides take writes while replication between them is down",
                c_.now.at(*s_.diverging_since));
        if (s_.awaiting_failback)
            add("awaiting_failback", Severity::info, "healthy, awaiting failback", s_.active_since);
        if (const Redundancy r = s_.redundancy.value_or(Redundancy{}); r.lost())
            add("redundancy_lost", Severity::warning, redundancy_text(r), s_.redundancy_since);
        const auto sites = loaded_sites(s_, c_);
        if (c_.service.load && nowhere_to_go(sites, *c_.service.load))
            add("overloaded", Severity::critical, "no site has room: " + uses(sites), s_.plan_since);
        if (!s_.group_held.empty()) add("group_held", Severity::critical, s_.group_held, s_.group_held_since);
        if (!s_.missed.empty()) add("objectives", Severity::warning, s_.missed, s_.missed_since);
        for (EndpointIndex e = 0; e < s_.endpoints.size(); ++e) endpoint(e);
    }

  private:
    void endpoint(EndpointIndex e) {
        const EndpointState& state = s_.endpoints[e];
        if (state.assessment.lost_v6)
            add("lost_ipv6", Severity::warning,
                "too few IPv6 addresses are healthy: AAAA is answered empty here", state.since, dc(e));
        if (state.braked)
            add("braked", Severity::warning, "unfit, but kept by the brake",
                state.out_since.value_or(state.since), dc(e));
        if (state.damping.suppressed && state.readiness == Readiness::ready)
            add("suppressed", Severity::warning, unfit_reason(s_, c_, e),
                state.out_since.value_or(state.since), dc(e));
        if (e < s_.shedding.limits.size() && s_.shedding.limits[e] < 1)
            add("shedding", Severity::warning, load_text(s_, c_, e),
                s_.shedding.acted.value_or(s_.plan_since), dc(e));
        if (auto since = load_unknown_since(s_, c_, e))
            add("load_unknown", Severity::warning, "nothing says what its load is: shares stay as they are",
                *since, dc(e));
        if (state.readiness == Readiness::unready && !state.excluded)
            add("endpoint_unfit", Severity::warning, unfit_reason(s_, c_, e), state.since, dc(e));
    }
    std::string uses(std::span<const LoadedSite> sites) const {
        std::string text;
        for (EndpointIndex e = 0; e < sites.size(); ++e)
            if (sites[e].fit && sites[e].use) text += (text.empty() ? "" : ", ") + load_text(s_, c_, e);
        return text;
    }
    bool under_maintenance(const std::string& datacenter) const {
        const std::string name = c_.service.title();
        return maintained(c_.overrides, place_of(c_.model, c_.service, name, datacenter), c_.now.wall);
    }
    /// Whoever is out is being worked on.
    bool only_maintenance_took() const {
        for (EndpointIndex e = 0; e < s_.endpoints.size(); ++e)
            if (named(c_.service, e) && !usable_here(s_.endpoints[e]) && !under_maintenance(dc(e)))
                return false;
        return true;
    }
    std::string dc(EndpointIndex e) const { return c_.model.datacenter_of(c_.service, e).name; }
    void add(std::string id, Severity severity, std::string text, Instant since,
             std::string datacenter = {}) {
        const bool about = !datacenter.empty() && under_maintenance(datacenter);
        const bool by = id == "redundancy_lost" && only_maintenance_took();
        if (about || by) {
            severity = Severity::info;
            text = "under maintenance: " + text;
        }
        out_.push_back(
            {std::move(id), severity, c_.service.title(), std::move(datacenter), std::move(text), since});
    }
    std::vector<Alarm>& out_;
    const ServiceState& s_;
    const ServiceContext& c_;
};

} // namespace

/// Does the service answer in the site that a drill plays lost?
static bool plays_in(const std::string& service, const Report& r) {
    for (const ServiceReport& s : r.services)
        if (s.name == service)
            return std::ranges::any_of(s.endpoints,
                                       [&](auto& e) { return e.datacenter == r.drill->datacenter; });
    return false;
}

Report Engine::report(Now now) const {
    const State& st = *state_;
    Report r{.at = now, .doubt = st.doubt.active, .overrides = st.overrides};
    if (st.drill) r.drill = st.drill->report;
    if (st.doubt.active)
        r.alarms.push_back({"self_doubt", Severity::critical, "", "",
                            "most of the world is silent: this node doubts itself", st.doubt.since});
    if (st.doubt.references_silent)
        r.alarms.push_back({"references_silent", Severity::warning, "", "", "no reference answers",
                            st.doubt.references_since});
    if (const auto window = hold_window(st.model->rules, now.wall))
        r.alarms.push_back({"hold_window", Severity::info, "", "", window->text(), now.at(window->since)});
    for (ServiceIndex s = 0; s < st.services.size(); ++s) {
        ServiceContext c = st.context(s, now);
        r.services.push_back(report_of(st.services[s], c));
        Alarms(r.alarms, st.services[s], c).collect();
    }
    std::vector<ServiceContext> contexts;
    for (ServiceIndex s = 0; s < st.services.size(); ++s) contexts.push_back(st.context(s, now));
    r.datacenters = datacenter_loads(*st.model, contexts, r.services);
    r.loads = load_reports(*st.model, contexts);
    for (const auto& [key, a] : st.aliases)
        if (a.alias.failing)
            r.alarms.push_back({"alias", Severity::warning, key.service, key.datacenter,
                                key.name + " cannot be resolved: " + a.alias.error +
                                    (a.alias.found.empty() ? "" : "; the addresses it had are answered"),
                                a.alias.resolved});
    std::size_t unseen = 0;
    for (const MemberState& m : st.members) {
        r.members.push_back(report_of(m, st.started));
        for (ServiceIndex s : m.services) r.members.back().services.push_back(st.model->services[s].title());
        const auto& last = r.members.back().last;
        if (!last || last->outcome != Outcome::unknown) continue;
        if (++unseen == 1)
            r.alarms.push_back({"own_fault", Severity::warning, "", "",
                                "cannot look at " + m.spec.target_text() + ": " +
                                    std::string(fairway::to_string(last->reason)),
                                last->ended});
    }
    if (unseen > 1)
        for (Alarm& a : r.alarms)
            if (a.id == "own_fault") a.text += " (and " + std::to_string(unseen - 1) + " more)";
    if (!r.drill || !r.drill->running) return r;
    for (Alarm& a : r.alarms) {
        const bool of_service = a.datacenter.empty() && plays_in(a.service, r);
        const bool older = a.since < r.drill->begun;
        a.drill = !older && (a.datacenter == r.drill->datacenter || of_service);
        if (a.drill) a.text = "drill: " + a.text;
    }
    r.alarms.push_back({"drill", Severity::warning, "", r.drill->datacenter,
                        r.drill->datacenter + " is played lost by " + r.drill->operator_name + " (" +
                            r.drill->reason + ") until " + fairway::to_string(r.drill->until),
                        r.drill->begun, true});
    return r;
}

} // namespace fairway::policies
