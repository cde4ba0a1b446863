#include "daemon/dns_front.hpp"

#include "dns/ask.hpp"

#include <numeric>
#include <stdexcept>
#include <utility>

namespace fairway::daemon {

namespace {

std::string lines(const std::vector<std::string>& problems) {
    std::string all;
    for (const auto& p : problems) all += (all.empty() ? "" : "\n") + p;
    return all;
}

}

DnsFront::DnsFront(Loaded loaded, const policies::Engine& first, std::uint64_t generation,
                   dns::Server::Tell tell, dns::GivenSockets& given) {
    adopt(loaded);
    std::vector<ServiceIndex> all(plans_.size());
    std::iota(all.begin(), all.end(), ServiceIndex{0});
    take(all, first, generation);
    auto started = dns::Server::start(loaded.model->dns, snapshot_, std::move(tell), &given);
    if (!started.server) throw std::runtime_error(lines(started.problems));
    server_ = std::move(started.server);
}

void DnsFront::adopt(Loaded next) {
    snapshot_ = std::move(next.names);
    plans_.assign(next.model->services.size(), {});
}

void DnsFront::take(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                    std::uint64_t generation) {
    for (const ServiceIndex s : changed) plans_[s] = engine.plan(s);
    snapshot_ = dns::with_plans(*snapshot_, changed, plans_, generation);
}

void DnsFront::publish(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                       std::uint64_t generation) {
    take(changed, engine, generation);
    server_->publish(snapshot_);
}

std::vector<std::uint8_t> DnsFront::ask(const Name& name, std::uint16_t type,
                                        std::optional<IpAddress> client) {
    return dns::ask(*snapshot_, name, type, client.value_or(IpAddress{}), random_);
}

std::uint64_t DnsFront::newly_limited(Instant now) {
    if (told_ && now - *told_ < 1min) return 0;
    const auto c = server_->counts().udp;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < c.slipped.size(); ++i) all += c.slipped[i] + c.dropped[i];
    if (all != limited_) told_ = now;
    return all - std::exchange(limited_, all);
}

DnsCounts DnsFront::counts() const {
    const auto c = server_->counts();
    return {c.udp, c.tcp};
}

} // namespace fairway::daemon
