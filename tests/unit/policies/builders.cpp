#include "tests/unit/policies/builders.hpp"

#include <algorithm>

namespace fairway::policies::test {

Observation seen(Outcome outcome, Reason reason, Instant ended, Duration took) {
    return {.outcome = outcome, .reason = reason, .begun = ended - took, .ended = ended};
}

Expression on(CheckIndex c, bool required) {
    return {.op = Expression::Op::check, .check = c, .required = required};
}

Expression combine(Expression::Op op, std::vector<Expression> operands, unsigned count) {
    return {.op = op, .count = count, .operands = std::move(operands)};
}

std::string site_name(std::size_t i) {
    return std::vector<std::string>{"east", "west", "eu", "asia", "africa"}.at(i);
}

Model world(std::size_t sites) {
    Model m;
    for (std::size_t i = 0; i < sites; ++i) m.datacenters.push_back({.name = site_name(i)});
    m.checks.push_back(std::make_shared<Check>(Check{.name = "web", .kind = HttpCheck{}}));
    m.checks.push_back(std::make_shared<Check>(
        Check{.name = "db", .kind = PostgresCheck{}, .requirements = {.max_lag = 10s}}));
    return m;
}

Service& serve(Model& m, const std::string& name, Policy policy) {
    Service s{.name = Name::parse(name + ".test").value(), .policy = std::move(policy)};
    s.application = on(web);
    for (DatacenterIndex d = 0; d < m.datacenters.size(); ++d)
        s.endpoints.push_back({.datacenter = d, .addresses = {ip("10." + std::to_string(d + 1) + ".0.1")}});
    m.services.push_back(std::move(s));
    return m.services.back();
}

ActivePassive in_order(std::size_t sites) {
    ActivePassive p;
    for (EndpointIndex e = 0; e < sites; ++e) p.order.push_back(e);
    return p;
}

Service& follow_service(Model& m, const std::string& name) {
    ActivePassive p = in_order(m.datacenters.size());
    p.follow_primary = true;
    Service& s = serve(m, name, p);
    s.stateful = on(db);
    s.failover = Service::Failover::approval;
    s.failback = Service::Failback::manual;
    s.on_all_down.mode = OnAllDown::Mode::last_good;
    return s;
}

void add_hooks(Service& s, std::initializer_list<Hook::Step> steps) {
    for (Hook::Step step : steps) s.hooks[step] = {.exec = {"/srv/hook"}};
}

// ---- an engine at a desk

Desk::Desk(Model m, Restored restored, Duration begin)
    : model(std::make_shared<const Model>(std::move(m))), now(at(begin)), engine(model, restored, now) {
    take(engine.start(now));
}

Desk::Desk(Desk&&) = default;
Desk::~Desk() = default;

void Desk::now_sees(const std::string& datacenter, Sight sight) {
    now_sees(datacenter, "web", sight);
    now_sees(datacenter, "db", sight);
}

void Desk::now_sees(const std::string& datacenter, const std::string& check, Sight sight, Facts facts) {
    sights_[{check, datacenter}] = {sight, std::move(facts)};
}

void Desk::everywhere(Sight sight) {
    for (const Datacenter& d : model->datacenters) now_sees(d.name, sight);
}

void Desk::beats(int n) {
    for (int i = 0; i < n; ++i) {
        pass_time(2s);
        look_at_all();
    }
}

void Desk::look_at_all() {
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

void Desk::pass_time(Duration d) {
    Instant end = now.mono + d;
    while (engine.next_due() <= end) {
        advance(std::max(engine.next_due(), now.mono));
        take(engine.tick(now));
        REQUIRE(engine.next_due() > now.mono);
    }
    advance(end);
}

CommandResult Desk::command(decltype(Command::what) what) {
    auto done = engine.command({std::move(what), "ann"}, now);
    take(std::move(done.effects));
    return done.result;
}

void Desk::hook_ends(bool ok, const std::string& detail) {
    REQUIRE_FALSE(hooks.empty());
    const HookRequest request = hooks.back();
    take(engine.hook_ended({.service = request.service,
                            .switch_id = request.switch_id,
                            .step = request.step,
                            .ok = ok,
                            .detail = detail},
                           now));
}

void Desk::reload(Model m) {
    model = std::make_shared<const Model>(std::move(m));
    take(engine.reload(model, now));
}

std::string Desk::answer(ServiceIndex s) const {
    const AnswerPlan& plan = engine.plan(s);
    if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
    if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
    std::string text;
    for (const Choice& c : plan.choices)
        text += (text.empty() ? "" : "+") + model->datacenter_of(model->services[s], c.endpoint).name;
    return text;
}

std::size_t Desk::said(Change c) const {
    return static_cast<std::size_t>(std::ranges::count(transitions, c, &Transition::change));
}

const Transition& Desk::last(Change c) const {
    auto it = std::find_if(transitions.rbegin(), transitions.rend(), [&](auto& t) { return t.change == c; });
    REQUIRE(it != transitions.rend());
    return *it;
}

void Desk::forget() {
    transitions.clear();
    hooks.clear();
    looks.clear();
    services.clear();
    members.clear();
}

bool Desk::alarmed(const std::string& id) const {
    auto report = engine.report(now);
    return std::ranges::any_of(report.alarms, [&](auto& a) { return a.id == id; });
}

MemberId Desk::member(const std::string& check, const std::string& datacenter) const {
    for (const Member& m : engine.members())
        if (m.spec.check->name == check && m.spec.datacenter == datacenter) return m.id;
    FAIL("no such member");
    return 0;
}

Restored Desk::stored() const {
    Restored r{.alive = now.wall};
    for (auto& [_, s] : kept_services_) r.services.push_back(s);
    for (auto& [_, m] : kept_members_) r.members.push_back(m);
    r.overrides.assign(engine.overrides().begin(), engine.overrides().end());
    return r;
}

Observation Desk::as_observed(Sight sight) const {
    switch (sight) {
    case Sight::pass: return passed(now.mono);
    case Sight::refuse: return refused(now.mono);
    case Sight::silence: return silent(now.mono);
    default: return unknown(now.mono);
    }
}

void Desk::take(Effects e) {
    for (auto& s : e.services) kept_services_[s.service] = s;
    for (auto& m : e.members) kept_members_[m.key] = m;
    auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(transitions, e.transitions);
    append(hooks, e.hooks);
    append(looks, e.look);
    append(services, e.services);
    append(members, e.members);
}

} // namespace fairway::policies::test
