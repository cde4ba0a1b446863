#include "daemon/publisher.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace fairway::daemon {

namespace {

template<class T> void append(std::vector<T>& to, std::vector<T> from) {
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}

Publisher::Ticket Publisher::queue(std::vector<ServiceIndex> plans, std::vector<Happening> causes) {
    waiting_.push_back({++last_, std::move(plans), std::move(causes)});
    return last_;
}

void Publisher::renumber(const std::vector<ServiceIndex>& all) {
    for (auto& w : waiting_) w.plans = all;
    new_names_ = true;
    out_ = {all.begin(), all.end()}; // what was answered is answered on
}

void Publisher::release(Ticket ticket, const policies::Engine& engine) {
    std::set<ServiceIndex> plans;
    std::vector<Happening> causes;
    for (; waits(ticket); waiting_.pop_front()) {
        plans.insert(waiting_.front().plans.begin(), waiting_.front().plans.end());
        append(causes, std::move(waiting_.front().causes));
    }
    send(plans, std::move(causes), engine);
}

void Publisher::publish(std::vector<ServiceIndex> plans, const std::vector<ServiceIndex>& urgent,
                        std::vector<Happening> causes, const policies::Engine& engine) {
    std::erase_if(plans,
                  [&](ServiceIndex s) { return held(s) && std::ranges::find(urgent, s) == urgent.end(); });
    if (plans.empty() && !waiting_.empty()) return append(waiting_.back().causes, std::move(causes));
    send({plans.begin(), plans.end()}, std::move(causes), engine);
}

bool Publisher::held(ServiceIndex s) const {
    return std::ranges::any_of(waiting_,
                               [&](auto& w) { return std::ranges::find(w.plans, s) != w.plans.end(); });
}

void Publisher::send(const std::set<ServiceIndex>& plans, std::vector<Happening> causes,
                     const policies::Engine& engine) {
    const bool new_names = std::exchange(new_names_, false);
    if (plans.empty() && !new_names) return;
    const std::vector<ServiceIndex> changed(plans.begin(), plans.end());
    ++generation_;
    out_.insert(plans.begin(), plans.end());
    if (outlets_.publish) outlets_.publish(changed, engine, generation_);
    for (auto& h : causes) {
        h.published = loop_.now().mono;
        if (outlets_.answered) outlets_.answered(h);
    }
}

} // namespace fairway::daemon
