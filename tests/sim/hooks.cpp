#include "tests/sim/hooks.hpp"

namespace fairway::sim {

std::string_view to_string(Hook::Step step) {
    switch (step) {
    case Hook::Step::prepare: return "prepare";
    case Hook::Step::fence: return "fence";
    case Hook::Step::promote: return "promote";
    case Hook::Step::after_failover: return "after_failover";
    case Hook::Step::rejoin: return "rejoin";
    case Hook::Step::failback: return "failback";
    }
    return "?";
}

std::string Runbook::text(Moment since) const {
    std::string all;
    for (const auto& r : runs_) {
        if (r.begun < since) continue;
        const bool left = r.step == Hook::Step::fence || r.step == Hook::Step::rejoin;
        const auto& site = left ? r.from : r.to;
        all += (all.empty() ? "" : ", ") + std::string(to_string(r.step)) + " " + site;
    }
    return all;
}

void Runbook::start(const Hook& hook, const Service& service, const policies::HookRequest& request,
                    std::function<void(policies::HookResult)> told) {
    runs_.push_back({.begun = time_.now(),
                     .step = request.step,
                     .service = service.name.to_string(),
                     .id = request.switch_id,
                     .from = request.from,
                     .to = request.to,
                     .reason = request.reason,
                     .lag = request.lag});
    auto program = programs[request.step];
    auto which = runs_.size() - 1;
    bool late = program.hangs || program.takes > hook.timeout;
    if (request.step == Hook::Step::failback && !late && program.failure.empty())
        step_down(world_.cluster_of(service), request.from);
    auto end = [this, which, late, program, service, timeout = hook.timeout, told = std::move(told)] {
        std::string wrong = late ? "timed out after " + fairway::to_string(timeout) : program.failure;
        if (wrong.empty()) wrong = carry_out(service, runs_[which]);
        auto& run = runs_[which];
        run.ended = time_.now();
        run.ok = wrong.empty();
        told({.service = run.service, .switch_id = run.id, .step = run.step, .ok = run.ok, .detail = wrong});
    };
    time_.at(time_.now() + (late ? hook.timeout : program.takes), std::move(end));
}

std::string Runbook::promote(Cluster& cluster, const std::string& site) {
    Database* best = nullptr;
    for (auto& s : cluster.servers()) {
        bool there = s.site() == site && s.state() == Database::State::running && world_.site(site).alive;
        if (there && s.role() == Role::primary) return {}; // idempotent: it is one already
        if (there && (!best || s.position(time_.now()) > best->position(time_.now()))) best = &s;
    }
    if (!best) return "exit status 1: no standby answers in " + site;
    best->promote();
    return {};
}

void Runbook::step_down(Cluster& cluster, const std::string& site) {
    for (auto& s : cluster.servers())
        if (s.site() == site && s.takes_writes()) s.steps_down();
}

std::string Runbook::carry_out(const Service& service, const Run& run) {
    if (!service.stateful) return {};
    auto& cluster = world_.cluster_of(service);
    switch (run.step) {
    case Hook::Step::fence:
        for (auto& s : cluster.servers())
            if (s.site() == run.from) s.crash();
        return {};
    case Hook::Step::promote:
    case Hook::Step::failback: return promote(cluster, run.to);
    case Hook::Step::rejoin:
        for (auto& s : cluster.servers())
            if (s.site() == run.from && world_.site(run.from).alive) s.rejoin();
        return {};
    default: return {};
    }
}

void SimHooks::run(const Hook& hook, const Service& service, const policies::HookRequest& request,
                   Done done) {
    runbook_.start(hook, service, request,
                   [alive = std::weak_ptr(alive_), done = std::move(done)](auto result) {
                       if (alive.lock()) done(std::move(result));
                   });
}

} // namespace fairway::sim
