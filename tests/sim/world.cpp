#include "tests/sim/world.hpp"

#include <stdexcept>

namespace fairway::sim {

namespace saying {
Sight nothing() {
    return {
        .outcome = Outcome::fail, .reason = Reason::timeout_connect, .detail = "no answer", .silent = true};
}
Sight refused() {
    return {.outcome = Outcome::fail, .reason = Reason::refused, .detail = "connection refused"};
}
Sight status(int code) {
    return {
        .outcome = Outcome::fail, .reason = Reason::wrong_status, .detail = "HTTP " + std::to_string(code)};
}
Sight bad_certificate() {
    return {.outcome = Outcome::fail, .reason = Reason::bad_certificate, .detail = "does not verify"};
}
} // namespace saying

void Sight::into(Observation& seen) const {
    seen.outcome = outcome;
    seen.reason = reason;
    seen.detail = detail;
    seen.facts = facts;
}

World::World(const Timeline& timeline, ModelPtr model) : time_(timeline), model_(std::move(model)) {
    for (const auto& dc : model_->datacenters) sites_[dc.name].name = dc.name;
    if (auto home = model_->node.datacenter) {
        home_ = &sites_.at(model_->datacenters[*home].name);
        home_->rtt = 1ms;
    }
    build();
}

namespace {

void checks_of(const Expression& e, std::set<CheckIndex>& into) {
    if (e.op == Expression::Op::check) into.insert(e.check);
    for (const auto& operand : e.operands) checks_of(operand, into);
}

std::string text(const std::variant<IpAddress, std::string>& host, std::uint16_t port) {
    auto ip = std::get_if<IpAddress>(&host);
    return ip ? SocketAddress{*ip, port}.to_string()
              : std::get<std::string>(host) + ":" + std::to_string(port);
}

/// What one check of an endpoint looks at, as L6 has it: its targets, else the answered addresses.
std::vector<std::string> looks_at(const Check& check, CheckIndex index, const Endpoint& endpoint) {
    std::vector<std::string> names;
    auto port = check.port.value_or(default_port(check.kind).value_or(0));
    if (auto targets = endpoint.targets.find(index); targets != endpoint.targets.end())
        for (const auto& t : targets->second) names.push_back(text(t.host, t.port.value_or(port)));
    else
        for (const auto& a : endpoint.addresses) names.push_back(text(a, port));
    return names;
}

} // namespace

// What the services' checks look at. PostgreSQL servers of one service are one replicated system, unless they
// are those of a service before it.
void World::build() {
    for (const auto& reference : model_->self_doubt.references) add(reference.to_string(), "");
    for (const auto& service : model_->services) {
        Cluster* cluster = nullptr;
        std::set<CheckIndex> checks;
        if (service.application) checks_of(*service.application, checks);
        if (service.stateful) checks_of(*service.stateful, checks);
        for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
            for (auto index : checks)
                for (const auto& name : looks_at(*model_->checks[index], index, service.endpoints[e])) {
                    auto& target = add(name, model_->datacenter_of(service, e).name);
                    if (std::holds_alternative<PostgresCheck>(model_->checks[index]->kind))
                        serve(target, cluster);
                }
        if (cluster) cluster_by_service_[service.name.to_string()] = cluster;
    }
}

Target& World::add(const std::string& name, const std::string& site) {
    auto [at, fresh] = targets_.try_emplace(name);
    if (fresh) at->second = {.name = name, .site = site.empty() ? nullptr : &sites_.at(site)};
    return at->second;
}

void World::serve(Target& target, Cluster*& cluster) {
    if (target.database) {
        cluster = &target.database->cluster();
        return;
    }
    auto system = std::to_string(7'000'000'000'000'000'001 + clusters_.size());
    auto connected = [this](const std::string& a, const std::string& b) { return this->connected(a, b); };
    if (!cluster) cluster = &clusters_.emplace_back(time_, system, connected);
    target.database = &cluster->add(target.site->name);
}

Target& World::aim(const ProbeSpec& spec) { return add(spec.target_text(), spec.datacenter); }

Site& World::site(const std::string& name) { return sites_.at(name); }
Target& World::target(const std::string& name) { return targets_.at(name); }

std::vector<Target*> World::targets(const std::string& site) {
    std::vector<Target*> found;
    for (auto& [name, t] : targets_)
        if (t.site ? t.site->name == site : site.empty()) found.push_back(&t);
    return found;
}

std::vector<Target*> World::applications(const std::string& site) {
    auto found = targets(site);
    std::erase_if(found, [](Target* t) { return t->database != nullptr; });
    return found;
}

Database& World::database(const std::string& site, std::size_t which) {
    for (auto& cluster : clusters_)
        for (auto& server : cluster.servers())
            if (server.site() == site && which-- == 0) return server;
    throw std::out_of_range("no such database in " + site);
}

Cluster& World::cluster_of(const Service& service) {
    return *cluster_by_service_.at(service.name.to_string());
}

void World::cut(const std::string& a, const std::string& b) {
    site(a).cut_from.insert(b);
    site(b).cut_from.insert(a);
    settle();
}

void World::mend(const std::string& a, const std::string& b) {
    site(a).cut_from.erase(b);
    site(b).cut_from.erase(a);
    settle();
}

void World::settle() {
    for (auto& c : clusters_) c.settle();
}

// A site we cannot reach is cut off from its peers too; a line between two can be cut besides.
bool World::connected(const std::string& a, const std::string& b) const {
    const auto &left = sites_.at(a), &right = sites_.at(b);
    if (!left.alive || !right.alive) return false;
    return a == b || (left.reachable && right.reachable && !left.cut_from.contains(b));
}

namespace {

Sight of(const Database& database, Moment when) {
    using enum Database::State;
    switch (database.state()) {
    case running: return {.facts = database.facts(when)};
    case stopped: return saying::refused();
    case frozen: {
        auto sight = saying::nothing();
        sight.reason = Reason::timeout_first_byte;
        return sight;
    }
    case starting:
        return {.outcome = Outcome::fail,
                .reason = Reason::starting,
                .detail = "the database system is starting up"};
    }
    return {};
}

} // namespace

Duration World::latency(const Target& target) const {
    Duration rtt = target.site ? target.site->rtt : Duration(20ms); // a reference is somewhere in between
    return rtt + target.slow;
}

Duration World::see(const Target& target, Moment when, Observation& seen) const {
    constexpr auto never = Duration::max();
    const auto sees = [&](const Sight& sight, Duration takes) {
        sight.into(seen);
        return sight.silent ? never : takes;
    };
    if (!interface)
        return sees({.outcome = Outcome::unknown, .reason = Reason::no_route, .detail = "no route"}, 0s);
    bool at_home = home_ && target.site == home_;
    if (!uplink && !at_home) return sees(saying::nothing(), never);
    if (target.site && target.site->unreachable_at_once)
        return sees({.outcome = Outcome::fail, .reason = Reason::unreachable, .detail = "no route to host"},
                    latency(target));
    if (target.site && !(target.site->alive && target.site->reachable)) return sees(saying::nothing(), never);
    if (target.script) return sees(target.script(), latency(target));
    if (target.says) return sees(*target.says, latency(target));
    if (target.database) return sees(of(*target.database, when), latency(target));
    seen.outcome = Outcome::pass;
    seen.reason = Reason::ok;
    return latency(target);
}

bool World::works(const Target& target, Moment when) const {
    if (target.site && !target.site->alive) return false;
    if (target.says) return target.says->outcome == Outcome::pass;
    return !target.database || of(*target.database, when).outcome == Outcome::pass;
}

} // namespace fairway::sim
