#include "probes/async/wait.hpp"

namespace fairway {

void Alarm::ring() {
    rung_ = true;
    if (timer_) wait(loop_.now().mono, waiter_);
}

void Alarm::wait(Instant until, std::coroutine_handle<> h) {
    waiter_ = h;
    timer_ = loop_.at(rung_ ? loop_.now().mono : until, [h] { h.resume(); });
}

} // namespace fairway
