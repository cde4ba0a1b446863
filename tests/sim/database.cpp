#include "tests/sim/database.hpp"

#include <algorithm>

namespace fairway::sim {

void Writes::start_at(Moment when, std::uint64_t position) { pieces_.assign(1, {when, position, 0}); }

void Writes::from(Moment when, double rate) {
    if (pieces_.back().rate == rate) return;
    pieces_.push_back({when, at(when), rate});
}

std::uint64_t Writes::at(Moment when) const {
    auto later = [](Moment m, const Piece& p) { return m < p.since; };
    auto after = std::upper_bound(pieces_.begin(), pieces_.end(), when, later);
    const Piece& piece = after == pieces_.begin() ? pieces_.front() : *std::prev(after);
    auto seconds = std::chrono::duration<double>(std::max(when - piece.since, Moment{})).count();
    return piece.position + static_cast<std::uint64_t>(seconds * piece.rate);
}

void Database::crash() {
    state_ = State::stopped;
    cluster_.settle();
}
void Database::freeze() {
    state_ = State::frozen;
    cluster_.settle();
}
void Database::starts_up() {
    state_ = State::starting;
    cluster_.settle();
}
void Database::recover() {
    state_ = State::running;
    cluster_.settle();
}
void Database::promote() { promote_to(timeline_ + 1); }
void Database::promote_to(std::uint64_t timeline) { cluster_.promote(*this, timeline); }

void Database::steps_down() {
    cluster_.settle();
    auto all = writes_.at(cluster_.time_.now());
    for (auto& s : cluster_.servers_)
        if (s.upstream_ == this) s.received_ = all;
    role_ = Role::standby;
    received_ = all;
    for (auto& s : cluster_.servers_)
        if (s.upstream_ == this) s.upstream_ = nullptr;
    cluster_.settle();
}

void Database::rejoin() {
    cluster_.settle();
    role_ = Role::standby;
    state_ = State::running;
    upstream_ = nullptr;
    received_ = 0; // rewound: what it had alone is gone, and it receives the rest at once
    cluster_.settle();
}

void Database::lags(Duration behind) {
    cluster_.settle();
    lag_ = behind;
}

void Database::another_system(std::string identifier) {
    system_ = std::move(identifier);
    cluster_.settle();
}

bool Database::takes_writes() const {
    return role_ == Role::primary && state_ == State::running && cluster_.connected_(site_, site_);
}

std::uint64_t Database::position(Moment when) const {
    if (role_ == Role::primary) return writes_.at(when);
    return upstream_ ? std::max(received_, upstream_->writes_.at(when - lag_)) : received_;
}

Facts Database::facts(Moment when) const {
    Facts facts;
    facts.role = role_;
    facts.epoch = timeline_;
    facts.system = system_;
    facts.position = position(when);
    return facts;
}

Cluster::Cluster(const Timeline& timeline, std::string system, Connected connected)
    : time_(timeline), system_(std::move(system)), connected_(std::move(connected)) {}

Database& Cluster::add(const std::string& site) {
    servers_.push_back(Database(*this, site));
    auto& server = servers_.back();
    server.system_ = system_;
    if (servers_.size() == 1) server.role_ = Role::primary;
    settle();
    return server;
}

void Cluster::write(double rate) {
    rate_ = rate;
    settle();
}

Database* Cluster::primary() {
    Database* best = nullptr;
    for (auto& s : servers_)
        if (s.takes_writes() && (!best || s.timeline_ > best->timeline_)) best = &s;
    return best;
}

void Cluster::promote(Database& server, std::uint64_t timeline) {
    settle();
    auto position = server.position(time_.now());
    server.role_ = Role::primary;
    server.timeline_ = timeline;
    server.upstream_ = nullptr;
    server.writes_.start_at(time_.now(), position);
    settle();
}

void Cluster::settle() {
    auto now = time_.now();
    for (auto& s : servers_)
        if (s.role_ == Role::primary) s.writes_.from(now, s.takes_writes() ? rate_ : 0);
    auto* source = primary();
    for (auto& s : servers_) {
        if (s.role_ == Role::primary) continue;
        s.received_ = s.position(now);
        bool streams = source && s.state_ == Database::State::running && s.system_ == source->system_ &&
                       connected_(s.site_, source->site_) && s.timeline_ <= source->timeline_;
        s.upstream_ = streams ? source : nullptr;
        if (streams) s.timeline_ = source->timeline_;
    }
}

} // namespace fairway::sim
