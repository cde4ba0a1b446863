// What the tables of policies share: a time line, small configurations, and a desk at which an engine is
// driven.
#pragma once

#include "policies/engine.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fairway::policies::test {

/// The moment a story begins; far from zero, because zero means "never".
inline constexpr Instant dawn{1h};
inline const WallTime dawn_wall{std::chrono::milliseconds{1'760'000'000'000}};

inline Now at(Duration since_dawn) {
    return {dawn + since_dawn, dawn_wall + std::chrono::duration_cast<std::chrono::milliseconds>(since_dawn)};
}

// ---- what a look saw

inline Observation seen(Outcome outcome, Reason reason, Instant ended, Duration took = 10ms) {
    return {.outcome = outcome, .reason = reason, .begun = ended - took, .ended = ended};
}
inline Observation passed(Instant at) { return seen(Outcome::pass, Reason::ok, at); }
inline Observation refused(Instant at) { return seen(Outcome::fail, Reason::refused, at); }
inline Observation silent(Instant at) { return seen(Outcome::fail, Reason::timeout_connect, at, 2s); }
inline Observation unknown(Instant at) { return seen(Outcome::unknown, Reason::no_route, at); }

inline Facts primary(std::uint64_t epoch, std::optional<std::uint64_t> position = {}) {
    return {.role = Role::primary, .epoch = epoch, .system = "sys", .position = position};
}
inline Facts standby(std::uint64_t epoch, std::optional<std::uint64_t> position = {}) {
    return {.role = Role::standby, .epoch = epoch, .system = "sys", .position = position};
}

// ---- configurations: check 0 is "web" (http), check 1 is "db" (postgres)

inline constexpr CheckIndex web = 0, db = 1;

inline Expression on(CheckIndex c, bool required = true) {
    return {.op = Expression::Op::check, .check = c, .required = required};
}
inline Expression combine(Expression::Op op, std::vector<Expression> operands, unsigned count = 0) {
    return {.op = op, .count = count, .operands = std::move(operands)};
}

inline IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
inline std::string site_name(std::size_t i) {
    return std::vector<std::string>{"east", "west", "eu", "asia", "africa"}.at(i);
}

inline Model world(std::size_t sites) {
    Model m;
    for (std::size_t i = 0; i < sites; ++i) m.datacenters.push_back({.name = site_name(i)});
    m.checks.push_back(std::make_shared<Check>(Check{.name = "web", .kind = HttpCheck{}}));
    m.checks.push_back(std::make_shared<Check>(
        Check{.name = "db", .kind = PostgresCheck{}, .requirements = {.max_lag = 10s}}));
    return m;
}

/// A service with an endpoint in every datacenter (10.1.0.1, 10.2.0.1 ...) and "web" as its application
/// check. Add services in the order of their names.
inline Service& serve(Model& m, const std::string& name, Policy policy) {
    Service s{.name = Name::parse(name + ".test").value(), .policy = std::move(policy)};
    s.application = on(web);
    for (DatacenterIndex d = 0; d < m.datacenters.size(); ++d)
        s.endpoints.push_back({.datacenter = d, .addresses = {ip("10." + std::to_string(d + 1) + ".0.1")}});
    m.services.push_back(std::move(s));
    return m.services.back();
}

inline ActivePassive in_order(std::size_t sites) {
    ActivePassive p;
    for (EndpointIndex e = 0; e < sites; ++e) p.order.push_back(e);
    return p;
}

/// A service whose traffic follows its database's primary.
inline Service& follow_service(Model& m, const std::string& name = "shop") {
    ActivePassive p = in_order(m.datacenters.size());
    p.follow_primary = true;
    Service& s = serve(m, name, p);
    s.stateful = on(db);
    s.failover = Service::Failover::approval;
    s.failback = Service::Failback::manual;
    s.on_all_down.mode = OnAllDown::Mode::last_good;
    return s;
}

inline void add_hooks(Service& s, std::initializer_list<Hook::Step> steps) {
    for (Hook::Step step : steps) s.hooks[step] = {.exec = {"/srv/hook"}};
}

// ---- an engine at a desk

/// Drives an engine beat by beat: in each beat of 2 s every member is looked at once. What a check sees in a
/// datacenter is set by `now_sees` and stays until set again; `nothing` is not looked at.
class Desk {
  public:
    enum class Sight { nothing, pass, refuse, silence, unknown };

    explicit Desk(Model m, Restored restored = {}, Duration begin = {})
        : model(std::make_shared<const Model>(std::move(m))), now(at(begin)), engine(model, restored, now) {
        take(engine.start(now));
    }

    void now_sees(const std::string& datacenter, Sight sight) {
        now_sees(datacenter, "web", sight);
        now_sees(datacenter, "db", sight);
    }
    void now_sees(const std::string& datacenter, const std::string& check, Sight sight, Facts facts = {}) {
        sights_[{check, datacenter}] = {sight, std::move(facts)};
    }
    void everywhere(Sight sight) {
        for (const Datacenter& d : model->datacenters) now_sees(d.name, sight);
    }

    /// `n` beats of 2 s each; what is due by time alone happens in between.
    void beats(int n) {
        for (int i = 0; i < n; ++i) {
            pass_time(2s);
            look_at_all();
        }
    }
    /// Every member is looked at now.
    void look_at_all() {
        std::vector<Observation> batch;
        for (const Member& m : engine.members()) {
            auto it = sights_.find({m.spec.check->name, m.spec.datacenter});
            if (it == sights_.end() || it->second.first == Sight::nothing) continue;
            Observation o = as_observed(it->second.first);
            o.member = m.id;
            if (o.outcome == Outcome::pass) o.facts = it->second.second;
            batch.push_back(o);
        }
        take(engine.observe(batch, now));
    }
    void observe(const Observation& o) { take(engine.observe(std::span(&o, 1), now)); }
    /// Time passes without a single look.
    void pass_time(Duration d) {
        Instant end = now.mono + d;
        while (engine.next_due() <= end) {
            advance(std::max(engine.next_due(), now.mono));
            take(engine.tick(now));
            REQUIRE(engine.next_due() > now.mono);
        }
        advance(end);
    }

    CommandResult command(decltype(Command::what) what) {
        auto done = engine.command({std::move(what), "ann"}, now);
        take(std::move(done.effects));
        return done.result;
    }
    void hook_ends(bool ok, const std::string& detail = "exit status 0") {
        REQUIRE_FALSE(hooks.empty());
        const HookRequest request = hooks.back();
        take(engine.hook_ended({.service = request.service,
                                .switch_id = request.switch_id,
                                .step = request.step,
                                .ok = ok,
                                .detail = detail},
                               now));
    }
    void reload(Model m) {
        model = std::make_shared<const Model>(std::move(m));
        take(engine.reload(model, now));
    }

    /// What the service's name answers: "east", "east 1, west 1", "SERVFAIL", "NODATA".
    std::string answer(ServiceIndex s = 0) const {
        const AnswerPlan& plan = engine.plan(s);
        if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
        if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
        std::string text;
        for (const Choice& c : plan.choices)
            text += (text.empty() ? "" : "+") + model->datacenter_of(model->services[s], c.endpoint).name;
        return text;
    }
    std::size_t said(Change c) const {
        return static_cast<std::size_t>(std::ranges::count(transitions, c, &Transition::change));
    }
    const Transition& last(Change c) const {
        auto it =
            std::find_if(transitions.rbegin(), transitions.rend(), [&](auto& t) { return t.change == c; });
        REQUIRE(it != transitions.rend());
        return *it;
    }
    void forget() {
        transitions.clear();
        hooks.clear();
        looks.clear();
        services.clear();
        members.clear();
    }
    bool alarmed(const std::string& id) const {
        auto report = engine.report(now);
        return std::ranges::any_of(report.alarms, [&](auto& a) { return a.id == id; });
    }
    MemberId member(const std::string& check, const std::string& datacenter) const {
        for (const Member& m : engine.members())
            if (m.spec.check->name == check && m.spec.datacenter == datacenter) return m.id;
        FAIL("no such member");
        return 0;
    }
    /// What the state store would give back now.
    Restored stored() const {
        Restored r{.alive = now.wall};
        for (auto& [_, s] : kept_services_) r.services.push_back(s);
        for (auto& [_, m] : kept_members_) r.members.push_back(m);
        r.overrides.assign(engine.overrides().begin(), engine.overrides().end());
        return r;
    }

    ModelPtr model;
    Now now;
    Engine engine;
    std::vector<Transition> transitions;
    std::vector<HookRequest> hooks;
    std::vector<MemberId> looks;
    std::vector<ServiceRecord> services;
    std::vector<MemberRecord> members;

  private:
    Observation as_observed(Sight sight) const {
        switch (sight) {
        case Sight::pass: return passed(now.mono);
        case Sight::refuse: return refused(now.mono);
        case Sight::silence: return silent(now.mono);
        default: return unknown(now.mono);
        }
    }
    void advance(Instant to) { now = at(to - dawn); }
    void take(Effects e) {
        for (auto& s : e.services) kept_services_[s.service] = s;
        for (auto& m : e.members) kept_members_[m.key] = m;
        auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
        append(transitions, e.transitions);
        append(hooks, e.hooks);
        append(looks, e.look);
        append(services, e.services);
        append(members, e.members);
    }

    std::map<std::pair<std::string, std::string>, std::pair<Sight, Facts>> sights_;
    std::map<std::string, ServiceRecord> kept_services_;
    std::map<std::string, MemberRecord> kept_members_;
};

using Sight = Desk::Sight;

} // namespace fairway::policies::test
