#include "daemon/idempotency.hpp"

#include "daemon/serialize.hpp"

#include <algorithm>

namespace fairway::daemon {

HttpResponse Idempotency::once(const HttpRequest& request, const Asker& asker,
                               const std::function<HttpResponse()>& act) {
    const auto given = request.headers.find("idempotency-key");
    if (given == request.headers.end()) return act();
    if (given->second.empty() || given->second.size() > longest_key)
        return {400, error_json("Idempotency-Key must have 1 to 200 characters")};
    const Key key{asker.who, given->second};
    const std::string asked = request.path + "\n" + request.body;
    {
        const std::lock_guard hold(mutex_);
        forget_old();
        const auto [found, fresh] = entries_.try_emplace(key);
        Entry& e = found->second;
        if (!fresh && e.asked != asked)
            return {422, error_json("this Idempotency-Key was used for another request")};
        if (!fresh && !e.done)
            return {409, error_json("the request with this Idempotency-Key is being done")};
        if (!fresh) return e.answer;
        e = {asked, clock_(), false, {}};
        order_.push_back(key);
    }
    HttpResponse answer = act();
    const std::lock_guard hold(mutex_);
    const auto found = entries_.find(key);
    if (found == entries_.end()) return answer; // a thousand others came between
    if (answer.status == 503) {
        entries_.erase(found);
        std::erase(order_, key);
    } else {
        found->second.done = true;
        found->second.answer = answer;
    }
    return answer;
}

void Idempotency::forget_old() {
    const auto now = clock_();
    while (!order_.empty() && (order_.size() >= most || now - entries_.at(order_.front()).since > kept)) {
        entries_.erase(order_.front());
        order_.pop_front();
    }
}

} // namespace fairway::daemon
