// The turn itself: the stages in their order, and what of the result is new to the world.
#include "policies/overrides.hpp"
#include "policies/service.hpp"

#include <algorithm>
#include <array>

namespace fairway::policies {

namespace {

std::string answer_text(const AnswerPlan& plan, const ServiceContext& c) {
    if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
    if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
    std::string text;
    if (plan.kind == AnswerPlan::Kind::pooled && plan.by_client.empty())
        text = plan.pools[0].how == Pool::How::all ? "all of " : "by client network ";
    bool first = true;
    for (const Choice& k : plan.choices) {
        text += (std::exchange(first, false) ? "" : ", ") + site_of(k, c);
        if (plan.choices.size() > 1 && plan.kind == AnswerPlan::Kind::draw)
            text += " " + std::to_string(k.weight);
    }
    return text;
}

bool withdraws(const AnswerPlan& before, const AnswerPlan& after) {
    auto answers = [&](const IpAddress& a) {
        return std::ranges::any_of(
            after.choices, [&](auto& k) { return std::ranges::find(k.addresses, a) != k.addresses.end(); });
    };
    return !std::ranges::all_of(before.choices,
                                [&](auto& k) { return std::ranges::all_of(k.addresses, answers); });
}

/// FNV-1a, 64 bits: the same in every process and version.
struct Fingerprint {
    std::uint64_t value = 0xcbf29ce484222325;
    void add(std::uint64_t n) {
        for (int i = 0; i < 8; ++i, n >>= 8) value = (value ^ (n & 0xff)) * 0x100000001b3;
    }
    void add(const std::string& text) {
        add(text.size());
        for (char c : text) add(static_cast<unsigned char>(c));
    }
};

/// Of what clients get, and how it is drawn; datacenters by name, since a restart may number them anew.
std::uint64_t fingerprint(const AnswerPlan& plan, const ServiceContext& c) {
    Fingerprint f;
    f.add(static_cast<std::uint64_t>(plan.kind));
    for (const Choice& k : plan.choices) {
        f.add(k.endpoint == no_endpoint ? "" : c.model.datacenter_of(c.service, k.endpoint).name);
        for (const IpAddress& a : k.addresses) f.add(a.to_string());
        f.add(k.weight);
        f.add(k.cname ? k.cname->to_string() : "");
    }
    for (std::uint16_t k : plan.by_client) f.add(k);
    for (const Pool& p : plan.pools) {
        f.add(static_cast<std::uint64_t>(p.how));
        for (const Pool::Member& m : p.members) {
            f.add(m.choice);
            f.add(m.weight);
        }
    }
    return f.value;
}

void remember_good(Turn& t) {
    if (t.s.all_down || t.s.all_excluded || t.s.plan.kind == AnswerPlan::Kind::servfail) return;
    std::vector<EndpointIndex> good;
    for (const Choice& k : t.s.plan.choices) good.push_back(k.endpoint);
    std::ranges::sort(good);
    if (good == t.s.last_good) return;
    t.s.last_good = std::move(good);
    t.out.services.push_back(record_of(t.s, t.c.model, t.c.now));
}

void say_plan(Turn& t, std::string from, const Cause& cause) {
    t.s.plan_since = t.c.now.mono;
    auto& said = t.say(Change::plan_changed, Severity::info, t.s.reason);
    said.from = std::move(from);
    said.to = t.s.answered;
    said.evidence = cause.evidence;
    said.fault = cause.fault;
}

/// After a restart within 60 s a plan that is what was answered before is no change (O4).
void tell_plan(Turn& t, const AnswerPlan& before, const Cause& cause) {
    const bool resumes = t.s.served && std::exchange(t.s.resumes, false);
    if (resumes || !same_but_ttl(before, t.s.plan)) {
        const std::string was = std::exchange(t.s.answered, answer_text(t.s.plan, t.c));
        const auto fingerprint_was = std::exchange(t.s.fingerprint, fingerprint(t.s.plan, t.c));
        if (!resumes) say_plan(t, answer_text(before, t.c), cause);
        else if (t.s.fingerprint != fingerprint_was) say_plan(t, was, cause);
    }
    t.out.plans.push_back(t.s.index);
    if (!t.latched && withdraws(before, t.s.plan)) t.out.urgent.push_back(t.s.index);
    if (t.latched)
        t.out.latched.push_back(t.s.index); // what a plan rests on is durable before it is answered
}

} // namespace

bool same_but_ttl(AnswerPlan a, const AnswerPlan& b) {
    a.ttl = b.ttl;
    return a == b;
}

Turn begin_turn(ServiceState& s, const ServiceContext& c) {
    Turn t{.s = s, .c = c};
    bool switching = s.running && s.running->while_frozen && s.running->step != SwitchStep::awaiting_approval;
    t.frozen = s.frozen && !std::exchange(s.thawed, false) && !switching;
    s.due.reset();
    if (!c.drill) s.drill_held.clear();
    if (const Override* f = freezing_override(c)) t.due(c.now.at(f->expires));
    t.was_served = s.served;
    assess_endpoints(t);
    if (!c.service.group) press_into_service(t, !c.service.follows_primary() && none_fit(s));
    climb_ramps(t);
    pull_brake(t);
    bool confirmed = follow_primary(t, t.claims);
    open_service(t, confirmed);
    return t;
}

void decide(Turn& t) {
    if (t.frozen) return;
    if (!t.led) {
        run_switch(t, t.claims);
        run_rejoin(t);
        hold_latch(t);
    }
    shed_load(t);
    AnswerPlan plan = make_plan(t);
    plan.ttl = settle_ttl(t);
    AnswerPlan before = std::exchange(t.s.plan, std::move(plan));
    t.news &= t.s.served;
    const bool resumes = t.s.resumes && t.s.served;
    if (t.news || resumes || before != t.s.plan) {
        const Cause cause = reason_of(t, before, t.s.plan);
        const bool confirms = resumes && !t.news && !t.s.reason.empty() && // what was answered before
                              fingerprint(t.s.plan, t.c) == t.s.fingerprint;
        if (!confirms && (t.news || resumes || !same_but_ttl(before, t.s.plan))) t.s.reason = cause.why;
        if (resumes || before != t.s.plan) tell_plan(t, before, cause);
    }
    remember_good(t);
    if (t.s.frozen && std::exchange(t.s.frozen, t.s.plan) != t.s.plan) t.noted = true;
}

/// Something was said that a restart is not to say again.
static bool told(const Effects& out) {
    using enum Change;
    constexpr std::array kept{
        endpoint_fit,      endpoint_unfit,  endpoint_braked, endpoint_pressed,  endpoint_degraded,
        endpoint_share,    served,          plan_changed,    all_down,          all_down_over,
        awaiting_failback, redundancy_lost, redundancy_back, objectives_missed, objectives_met};
    return std::ranges::any_of(out.transitions, [&](const Transition& said) {
        return std::ranges::find(kept, said.change) != kept.end();
    });
}

Effects end_turn(Turn& t) {
    for (EndpointState& e : t.s.endpoints) e.pressed_told &= e.pressed;
    watch_redundancy(t);
    watch_divergence(t);
    bool opened = !t.was_served && t.s.served;
    if (opened && freezing_override(t.c)) t.s.frozen = t.s.plan;
    if (t.latched || t.noted || opened || !t.out.services.empty() || told(t.out))
        t.out.services = {record_of(t.s, t.c.model, t.c.now)};
    return std::move(t.out);
}

Effects take_turn(ServiceState& s, const ServiceContext& c) {
    Turn t = begin_turn(s, c);
    decide(t);
    return end_turn(t);
}

// ---- what is durable

namespace {

PlanRecord record_of(const AnswerPlan& plan, const Model& model, const Service& service) {
    PlanRecord r{.kind = plan.kind, .ttl = plan.ttl, .by_client = plan.by_client, .pools = plan.pools};
    for (const Choice& k : plan.choices)
        r.choices.push_back({k.endpoint == no_endpoint ? "" : model.datacenter_of(service, k.endpoint).name,
                             k.addresses, k.weight, k.cname ? k.cname->to_string() + "." : ""});
    return r;
}

/// The plan as it was; of a datacenter that is no longer configured the addresses alone are left.
AnswerPlan plan_of(const PlanRecord& r, const Model& model, const Service& service) {
    AnswerPlan plan{.kind = r.kind, .ttl = r.ttl, .by_client = r.by_client, .pools = r.pools};
    for (const PlanRecord::Choice& k : r.choices) {
        plan.choices.push_back({no_endpoint, k.addresses, k.weight, Name::parse(k.cname)});
        for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
            if (model.datacenter_of(service, e).name == k.datacenter) plan.choices.back().endpoint = e;
    }
    // Of clients that are told apart in another way now nothing is known: they get the first choice.
    if (!plan.by_client.empty() && plan.by_client.size() != model.clients.classes.size())
        plan.by_client.assign(model.clients.classes.size(), 0);
    return plan;
}

/// By automation, who had been in; who went first is first.
std::vector<EndpointIndex> taken_out(const ServiceState& s) {
    std::vector<EndpointIndex> out;
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
        if (s.endpoints[e].was_fit && s.endpoints[e].out_since) out.push_back(e);
    std::ranges::stable_sort(out, {}, [&](EndpointIndex e) { return *s.endpoints[e].out_since; });
    return out;
}

} // namespace

namespace {

/// What was said of it last, so that a restart says nothing of it again.
void note_told(ServiceRecord& r, const ServiceState& s, const auto& dc, Now now) {
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
        const EndpointState& state = s.endpoints[e];
        if (state.since == Instant{} && !state.before) continue; // not decided yet
        const auto told = state.before.value_or(EndpointState::Before{state.fit, state.since});
        r.endpoints.push_back({dc(e), told.fit, state.degraded, state.braked, state.pressed_told, state.share,
                               now.wall_at(told.since)});
    }
    if (!s.answered.empty())
        r.answer = AnswerRecord{s.answered, s.reason, s.fingerprint, now.wall_at(s.plan_since)};
    if (s.redundancy)
        r.redundancy =
            RedundancyRecord{s.redundancy->survives, s.redundancy->designed, now.wall_at(s.redundancy_since)};
    r.missed = s.missed;
    if (!s.missed.empty()) r.missed_since = now.wall_at(s.missed_since);
    if (s.all_down) r.all_down_since = now.wall_at(s.all_down_since);
    if (s.all_excluded) r.excluded_since = now.wall_at(s.excluded_since);
    r.awaiting_failback = s.awaiting_failback;
}

void restore_told(ServiceState& s, const ServiceRecord& r, const auto& endpoint, Now now) {
    for (const EndpointRecord& record : r.endpoints)
        if (auto e = endpoint(record.datacenter)) {
            EndpointState& state = s.endpoints[*e];
            state.before = EndpointState::Before{record.fit, now.at(record.since)};
            state.degraded = record.degraded;
            state.braked = record.braked;
            state.pressed_told = record.pressed;
            state.share = record.share;
        }
    if (r.answer) {
        s.answered = r.answer->text;
        s.reason = r.answer->reason;
        s.fingerprint = r.answer->fingerprint;
        s.plan_since = now.at(r.answer->since);
        s.resumes = r.served;
    }
    if (r.redundancy) {
        s.redundancy = Redundancy{r.redundancy->survives, r.redundancy->designed};
        s.redundancy_since = now.at(r.redundancy->since);
    }
    s.missed = r.missed;
    if (r.missed_since) s.missed_since = now.at(*r.missed_since);
    if (r.all_down_since) s.all_down_since = now.at(*r.all_down_since);
    if (r.excluded_since) s.excluded_since = now.at(*r.excluded_since);
    s.all_down = r.all_down_since.has_value();
    s.all_excluded = r.excluded_since.has_value();
    s.awaiting_failback = r.awaiting_failback;
}

} // namespace

ServiceRecord record_of(const ServiceState& s, const Model& model, Now now) {
    const Service& service = model.services[s.index];
    auto dc = [&](EndpointIndex e) { return model.datacenter_of(service, e).name; };
    ServiceRecord r{.service = service.title(), .running = s.running};
    if (s.active) r.active = dc(*s.active);
    if (s.active && s.active_since != Instant{}) r.active_since = now.wall_at(s.active_since);
    r.served = s.served || s.was_served;
    r.moves = s.moves;
    if (s.followed) r.followed = ClaimRecord{dc(s.followed->endpoint), s.followed->system, s.followed->epoch};
    if (s.no_primary && s.unclaimed_since) r.no_primary_since = now.wall_at(*s.unclaimed_since);
    r.no_primary_critical = s.no_primary_critical;
    r.fault = s.fault;
    r.rejoin = s.rejoin;
    r.diverging_since = s.diverging_since;
    for (EndpointIndex e : s.last_good) r.last_good.push_back(dc(e));
    if (s.frozen) r.frozen = record_of(*s.frozen, model, service);
    for (EndpointIndex e = 0; e < s.endpoints.size(); ++e)
        if (const Damping& d = s.endpoints[e].damping; d.returned)
            r.returns.push_back({dc(e), now.wall_at(*d.returned), d.suppressed, s.endpoints[e].ramp_step,
                                 now.wall_at(s.endpoints[e].ramp_since)});
    for (EndpointIndex e : taken_out(s)) r.outs.push_back({dc(e), now.wall_at(*s.endpoints[e].out_since)});
    for (EndpointIndex e = 0; e < s.shedding.limits.size(); ++e)
        if (s.shedding.limits[e] < 1) r.limits.push_back({dc(e), s.shedding.limits[e]});
    r.load_lag = s.shedding.lag;
    note_told(r, s, dc, now);
    return r;
}

ServiceState fresh_state(ServiceIndex index, const Model& model, Instant now) {
    ServiceState s{.index = index, .born = now, .plan_since = now};
    s.endpoints.resize(model.services[index].endpoints.size());
    return s;
}

void restore(ServiceState& s, const ServiceRecord& r, const Model& model, Now now) {
    const Service& service = model.services[s.index];
    auto endpoint = [&](const std::string& dc) -> std::optional<EndpointIndex> {
        for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
            if (model.datacenter_of(service, e).name == dc) return e;
        return std::nullopt;
    };
    if (r.active) s.active = endpoint(*r.active);
    if (r.active_since) s.active_since = now.at(*r.active_since);
    s.was_served = r.served;
    s.fault = r.fault;
    s.rejoin = r.rejoin;
    s.diverging_since = r.diverging_since;
    s.moves = r.moves;
    if (r.followed)
        if (auto e = endpoint(r.followed->datacenter))
            s.followed = Followed{*e, r.followed->epoch, r.followed->system};
    for (const std::string& dc : r.last_good)
        if (auto e = endpoint(dc)) {
            s.last_good.push_back(*e);
            s.endpoints[*e].was_fit = true;
        }
    for (const ReturnRecord& record : r.returns)
        if (auto e = endpoint(record.datacenter)) {
            s.endpoints[*e].damping = {now.at(record.at), record.suppressed};
            s.endpoints[*e].ramp_step = record.ramp_step;
            s.endpoints[*e].ramp_since = now.at(record.ramp_since);
            s.endpoints[*e].was_fit = true;
        }
    std::optional<Instant> one_before;
    for (const OutRecord& record : r.outs)
        if (auto e = endpoint(record.datacenter); e && s.warm) {
            one_before = std::max(now.at(record.since), one_before.value_or(Instant::min()) + 1ns);
            s.endpoints[*e].out_since = one_before;
            s.endpoints[*e].was_fit = true;
        }
    for (const LimitRecord& record : r.limits)
        if (auto e = endpoint(record.datacenter)) {
            s.shedding.limits.resize(s.endpoints.size(), 1);
            s.shedding.limits[*e] = record.limit;
            s.shedding.acted = now.mono; // what it has come to is seen one lag from now at the earliest
        }
    s.shedding.lag = r.load_lag;
    if (s.last_good.size() == 1) s.previous.assign(model.clients.classes.size(), s.last_good.front());
    if (r.no_primary_since) {
        s.no_primary = true;
        s.unclaimed_since = now.at(*r.no_primary_since);
        s.no_primary_critical = r.no_primary_critical;
    }
    if (r.frozen) {
        s.frozen = s.plan = plan_of(*r.frozen, model, service);
        s.reason = "as before the restart";
        s.served = true;
    }
    if (r.running && endpoint(r.running->to)) s.running = r.running;
    if (s.warm) restore_told(s, r, endpoint, now);
}

} // namespace fairway::policies
