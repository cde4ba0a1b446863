#include "tests/sim/store.hpp"

namespace fairway::sim {

void Disk::apply(daemon::StateWrite write) {
    ++writes_;
    for (auto& s : write.services) services_[s.service] = s;
    for (auto& m : write.members) members_[m.key] = m;
    if (write.overrides) rest_.overrides = *write.overrides;
    if (write.aliases) rest_.aliases = *write.aliases;
    for (auto& r : write.learned) rest_.learned.push_back(r);
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
    waiting_.push_back({std::move(write), std::move(done)});
    if (!timer_) timer_ = loop_.after(disk_.latency, [this] { end_first(); });
}

void SimStore::end_first() {
    auto spent = std::move(timer_);
    if (disk_.hangs) {
        timer_ = loop_.after(100ms, [this] { end_first(); });
        return;
    }
    auto [write, done] = std::move(waiting_.front());
    waiting_.pop_front();
    if (!waiting_.empty()) timer_ = loop_.after(disk_.latency, [this] { end_first(); });
    if (disk_.failure.empty()) disk_.apply(std::move(write));
    done(disk_.failure);
}

} // namespace fairway::sim
