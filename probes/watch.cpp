#include "probes/watch.hpp"

namespace fairway::probes {

Watch::Watch(Loop& loop, Duration interval, Hold hold, LookNow look_now)
    : loop_(loop), interval_(interval), hold_(std::move(hold)), look_now_(std::move(look_now)) {}

void Watch::seen(Outcome outcome, const SocketAddress& address) {
    if (outcome == Outcome::unknown) return;
    const bool passing = outcome != Outcome::fail;
    if (passing && open() && address == address_) return;
    task_ = Task<void>();
    const Instant now = loop_.now().mono;
    if (!passing || (opened_ && now - *opened_ < interval_)) return;
    opened_ = now;
    address_ = address;
    task_ = run(address);
    task_.start();
}

Task<void> Watch::run(SocketAddress address) {
    Task<bool> holding = hold_(address);
    const bool said = co_await holding;
    if (said) look_now_();
}

} // namespace fairway::probes
