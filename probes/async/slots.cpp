#include "probes/async/slots.hpp"

namespace fairway {

bool Slots::Turn::await_ready() noexcept {
    if (slots_.free_ == 0) return false;
    --slots_.free_;
    ++slots_.held_;
    granted_ = true;
    return true;
}

void Slots::Turn::await_suspend(std::coroutine_handle<> h) {
    waiter_ = h;
    waiting_ = true;
    place_ = slots_.queue_.insert(slots_.queue_.end(), this);
}

Slots::Held Slots::Turn::await_resume() noexcept {
    granted_ = false; // what is given back from now on is the Held's
    return Held(slots_);
}

Slots::Turn::~Turn() {
    if (waiting_) slots_.queue_.erase(place_);
    if (granted_) slots_.give_back();
}

/// The next in line goes on in a turn of the loop of its own: whoever gives back may be in the middle of
/// being destroyed.
void Slots::give_back() {
    if (queue_.empty()) {
        ++free_;
        --held_;
        return;
    }
    Turn& next = *queue_.front();
    queue_.pop_front();
    next.waiting_ = false;
    next.granted_ = true;
    next.wake_ = loop_.after(Duration::zero(), [&next] { next.waiter_.resume(); });
}

} // namespace fairway
