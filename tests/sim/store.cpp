#include "tests/sim/store.hpp"

#include <algorithm>

namespace fairway::sim {

void Disk::apply(daemon::StateWrite write) {
    ++writes_;
    for (auto& s : write.services) services_[s.service] = s;
    for (auto& m : write.members) members_[m.key] = m;
    if (write.overrides) rest_.overrides = *write.overrides;
    if (write.generation) rest_.generation = *write.generation;
    if (write.alive) rest_.alive = *write.alive;
}

policies::Restored Disk::restored() const {
    auto all = rest_;
    for (const auto& [name, record] : services_) all.services.push_back(record);
    for (const auto& [key, record] : members_) all.members.push_back(record);
    return all;
}

void SimStore::write(daemon::StateWrite write, Done done) {
    free_ = std::max(free_, loop_.now().mono) + disk_.latency;
    end(++last_, free_, std::move(write), std::move(done));
}

void SimStore::end(std::uint64_t ticket, Instant when, daemon::StateWrite write, Done done) {
    under_way_[ticket] = loop_.at(when, [this, ticket, write = std::move(write), done = std::move(done)] {
        auto self = under_way_.extract(ticket);
        if (disk_.hangs) return end(ticket, loop_.now().mono + 100ms, write, done);
        if (disk_.failure.empty()) disk_.apply(write);
        done(disk_.failure);
    });
}

} // namespace fairway::sim
