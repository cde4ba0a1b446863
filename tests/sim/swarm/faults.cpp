#include "tests/sim/swarm/faults.hpp"

#include "policies/what_if.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace fairway::sim {

void Faults::note(const std::string& what) {
    char at[32];
    std::snprintf(at, sizeof at, "%+12.3fs ", std::chrono::duration<double>(story_.now()).count());
    log_ += at + what + "\n";
}

void Faults::look() {
    if (!story_.running()) return;
    for (const auto& o : story_.engine().overrides()) // cheaper than a report
        if (o.kind == policies::Override::Kind::drill) last_drill_ = story_.now();
}

void Faults::strike(Random random) {
    random_ = random;
    switch (random_.below(16)) {
    case 0:
    case 1:
    case 2: return site();
    case 3:
    case 4:
    case 5:
    case 6: return application();
    case 7:
    case 8:
    case 9: return database();
    case 10: return line();
    case 11: return ourselves();
    case 12:
    case 13: return operators();
    case 14: return programs();
    default: return restart();
    }
}

void Faults::site() {
    auto name = settings_.sites[random_.below(settings_.sites.size())];
    const auto& site = story_.world().site(name);
    if (!site.alive) {
        story_.revive(name);
        note("revive " + name);
    } else if (!site.reachable) {
        story_.heal(name);
        note("heal " + name);
    } else if (random_.chance(0.5)) {
        story_.kill(name);
        note("kill " + name);
    } else if (random_.chance(0.5)) {
        story_.partition(name);
        note("partition " + name);
    } else {
        story_.unreachable(name);
        note("unreachable " + name);
    }
}

void Faults::application() {
    auto name = settings_.sites[random_.below(settings_.sites.size())];
    auto targets = story_.world().applications(name);
    if (targets.empty()) return;
    auto& target = *random_.pick(targets);
    if (target.says || target.slow > 0s) {
        target.says.reset();
        target.slow = 0s;
        return note("works " + target.name);
    }
    switch (random_.below(4)) {
    case 0: target.says = saying::refused(); break;
    case 1: target.says = saying::status(503); break;
    case 2: target.says = saying::nothing(); break;
    default: target.slow = random_.between(100ms, 3s); break;
    }
    note("breaks " + target.name);
}

void Faults::database() {
    std::vector<Database*> all;
    for (auto& cluster : story_.world().clusters())
        for (auto& server : cluster.servers()) all.push_back(&server);
    if (all.empty()) return;
    auto& server = *random_.pick(all);
    auto role = server.role() == Role::primary ? "primary " : "standby ";
    auto did = [&](const char* what) { note(what + std::string(" ") + role + server.site()); };
    if (server.state() != Database::State::running) return server.recover(), did("recover");
    switch (random_.below(7)) {
    case 0: return server.crash(), did("crash");
    case 1: return server.freeze(), did("freeze");
    case 2:
        return server.role() == Role::primary ? server.steps_down() : server.promote(),
               did("step down or promote");
    case 3: return server.rejoin(), did("rejoin");
    case 4: return server.lags(random_.between(1ms, 30s)), did("lag");
    case 5: return server.starts_up(), did("starting");
    default:
        if (server.role() != Role::standby) return;
        for (auto* other : all) // an ordinary switchover to it
            if (&other->cluster() == &server.cluster() && other->role() == Role::primary) other->steps_down();
        server.promote();
        return did("switch over to");
    }
}

void Faults::line() {
    const auto& sites = settings_.sites;
    auto a = sites[random_.below(sites.size())], b = sites[random_.below(sites.size())];
    if (a == b) return;
    bool is_cut = story_.world().site(a).cut_from.contains(b);
    if (is_cut) story_.world().mend(a, b);
    else story_.world().cut(a, b);
    note((is_cut ? "mend " : "cut ") + a + " - " + b);
}

void Faults::ourselves() {
    own_fault_ = story_.now();
    auto& world = story_.world();
    auto& disk = story_.disk();
    if (!world.uplink) return story_.mend_uplink(), note("mend uplink");
    if (!world.interface) return world.interface = true, note("interface is back");
    if (disk.hangs || !disk.failure.empty()) {
        disk.hangs = false;
        disk.failure.clear();
        return note("the disk works");
    }
    switch (random_.below(6)) {
    case 0: return story_.cut_uplink(), note("cut uplink");
    case 1: return world.interface = false, note("interface is gone");
    case 2: return disk.hangs = true, note("the disk hangs");
    case 3: return disk.failure = "disk full", note("the disk fails");
    case 4: return story_.references(saying::nothing()), note("references silent");
    default: {
        story_.references_work();
        auto pause = random_.between(100ms, 30s);
        story_.stall_daemon(pause);
        own_fault_ = stalled_until_ = story_.now() + pause;
        return note("stalled for " + fairway::to_string(pause));
    }
    }
}

void Faults::operators() {
    const auto& service = settings_.services[random_.below(settings_.services.size())];
    const auto& site = settings_.sites[random_.below(settings_.sites.size())];
    auto told = [&](const std::string& what, const policies::CommandResult& r) {
        note(what + (r.accepted ? ": accepted: " : ": refused: ") + r.message);
        return r.accepted;
    };
    switch (random_.below(10)) {
    case 9: return reloads();
    case 6: return asks(site);
    case 7: return drills(site);
    case 8: return measures(site);
    case 0: return drains(service.name, site);
    case 1:
        if (auto id = story_.waiting_switch(service.name); !id.empty()) {
            commands_[service.name] = story_.now();
            told("approve " + id, story_.approve(id));
        }
        return;
    case 2:
        commands_[service.name] = story_.now();
        told("failover " + service.name + " to " + site, story_.failover(service.name, site));
        return;
    case 3:
        commands_[service.name] = story_.now();
        told("switch " + service.name + " to " + site, story_.move(service.name, site));
        return;
    case 4: told("give up the switch of " + service.name, story_.gives_up(service.name)); return;
    default:
        commands_[service.name] = story_.now();
        told("failback " + service.name, story_.failback(service.name));
        return;
    }
}

void Faults::drains(const std::string& service, const std::string& site) {
    last_drain_ = story_.now();
    const std::pair key{service, site};
    const bool ends = drained(service, site);
    const auto heard = [this, key](const std::string&) { unheard_.erase(key); };
    unheard_.insert(key);
    const auto r = ends ? story_.undrain(service, site, heard)
                        : story_.drain(service, site, random_.chance(0.2), 24h, heard);
    note((ends ? "undrain " : "drain ") + service + " " + site +
         (r.accepted ? ": accepted: " : ": refused: ") + r.message);
    if (!r.accepted) return;
    if (ends) drains_.erase(key);
    else drains_.insert(key);
}

/// The configuration is read again: as it was, or with checks that nobody has looked by yet.
void Faults::reloads() {
    if (!learned_.empty()) return; // the loader lays it over what it reads, and is not here
    own_fault_ = last_reload_ = story_.now();
    if (random_.chance(0.5)) other_checks_ = !other_checks_;
    std::string yaml = settings_.yaml;
    const std::string path = "path: /healthz";
    if (const auto at = yaml.find(path); other_checks_ && at != yaml.npos)
        yaml.replace(at, path.size(), "path: /health");
    story_.reload(yaml);
    note(other_checks_ ? "reload with other checks" : "reload");
}

/// Of what the process died with before it said so, nobody knows whether it is on disk: one looks.
void Faults::look_at_drains() {
    for (const auto& [service, site] : std::exchange(unheard_, {}))
        if (story_.drained(service, site)) drains_.insert({service, site});
        else drains_.erase({service, site});
}

/// What a loss would mean changes nothing, and what has moved is not where everything is lost.
void Faults::asks(const std::string& site) {
    const auto answer = policies::what_if(story_.engine(), {.lose = {site}}, story_.clock());
    note("what if " + site + " is lost");
    for (const auto& line : answer.services) {
        double all = 0;
        for (const auto& [there, share] : line.after) {
            all += share;
            if (there == site && line.fate == policies::WhatIf::Fate::moves)
                wrong("what-if moves " + line.name + " from " + site + " to itself");
        }
        if (line.fate == policies::WhatIf::Fate::moves && std::abs(all - 1) > 0.01)
            wrong("what-if moves " + line.name + " to " + std::to_string(all) + " of what there is");
    }
}

void Faults::drills(const std::string& site) {
    const auto drill = story_.report().drill;
    const bool ends = drill && drill->running;
    const auto lasts = random_.between(1min, 10min);
    const bool hooks = random_.chance(0.3);
    const auto r = ends ? story_.gives_up_drill() : story_.loses(site, lasts, hooks);
    if (r.accepted) last_drill_ = story_.now();
    note((ends ? "end the drill" : "drill lose " + site) + (r.accepted ? ": accepted: " : ": refused: ") +
         r.message);
}

/// Somewhere in the net a datacenter is so far away.
void Faults::measures(const std::string& site) {
    if (const auto drill = story_.report().drill; drill && drill->running) return; // it waits for its end
    const auto prefix = *Prefix::parse(random_.pick(networks_));
    const auto ms = static_cast<unsigned>(1 + random_.below(200));
    auto known = std::ranges::find(learned_, prefix, &policies::LearnedRecord::network);
    if (known == learned_.end()) {
        learned_.push_back({prefix, {}});
        std::ranges::sort(learned_, {}, &policies::LearnedRecord::network);
        known = std::ranges::find(learned_, prefix, &policies::LearnedRecord::network);
    }
    std::erase_if(known->sites, [&](auto& s) { return s.datacenter == site; });
    known->sites.push_back({.datacenter = site, .mean_ms = double(ms), .weight = 10, .used_ms = ms});
    note("from " + prefix.to_string() + " it is " + std::to_string(ms) + " ms to " + site);
    story_.learns(learned_);
}

void Faults::programs() {
    auto step = std::vector{Hook::Step::prepare, Hook::Step::fence, Hook::Step::promote}[random_.below(3)];
    auto& program = story_.program(step);
    program.takes = random_.between(10ms, 20s);
    program.failure = random_.chance(0.3) ? "exit status 1" : "";
    program.hangs = random_.chance(0.1);
    note(std::string("program ") + std::string(to_string(step)) + " takes " +
         fairway::to_string(program.takes) +
         (program.hangs             ? " (hangs)"
          : program.failure.empty() ? ""
                                    : " (fails)"));
}

// What a process says while its disk is broken is lost with it: that is a drill of its own, so the disk works
// first.
void Faults::restart() {
    story_.disk().hangs = false;
    story_.disk().failure.clear();
    story_.runs(10s);
    auto away = random_.chance(0.7) ? random_.between(10ms, 45s) : random_.between(70s, 20min);
    note("restart, away for " + fairway::to_string(away));
    before_restart();
    story_.kill_daemon();
    story_.runs(away);
    last_restart_ = own_fault_ = story_.now();
    last_restart_long_ = away > 60s;
    story_.start();
    look_at_drains();
}

std::optional<Moment> Faults::last_command(const std::string& service) const {
    auto found = commands_.find(service);
    return found == commands_.end() ? std::nullopt : std::optional(found->second);
}

void Faults::mend_all() {
    note("everything is mended");
    auto& world = story_.world();
    world.uplink = world.interface = true;
    story_.disk().hangs = false;
    story_.disk().failure.clear();
    story_.references_work();
    story_.runbook().programs.clear();
    for (const auto& name : settings_.sites) {
        world.site(name).alive = world.site(name).reachable = true;
        world.site(name).unreachable_at_once = false;
        world.site(name).cut_from.clear();
        for (auto* t : world.targets(name)) t->says.reset(), t->slow = 0s;
    }
    world.settle();
    for (auto& cluster : world.clusters()) {
        Database* best = nullptr;
        for (auto& s : cluster.servers()) {
            s.recover();
            s.lags(2ms);
            bool better = !best || std::pair(s.timeline(), s.role() == Role::primary) >
                                       std::pair(best->timeline(), best->role() == Role::primary);
            if (better) best = &s;
        }
        if (best->role() != Role::primary) best->promote();
        for (auto& s : cluster.servers())
            if (&s != best) s.rejoin();
    }
    if (const auto drill = story_.report().drill; drill && drill->running) story_.gives_up_drill();
    for (const auto& [service, site] : drains_) story_.undrain(service, site);
    drains_.clear();
}

} // namespace fairway::sim
