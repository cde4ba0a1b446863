#include "probes/name_watch.hpp"

#include "probes/async/wait.hpp"

#include <algorithm>
#include <set>

namespace fairway::probes {

namespace {

constexpr Duration floor = 5s;   // a TTL of 0 must not mean a stream of queries; also after a failure
constexpr Duration ceiling = 1h; // a TTL of a week must not outlive a move by a week

NameObservation seen_of(const std::string& name, const Resolution& v4, const Resolution& v6, Instant at) {
    NameObservation seen{.name = name, .v4 = v4.answered, .v6 = v6.answered, .at = at};
    for (const Resolution* r : {&v4, &v6}) {
        if (!r->addresses.empty()) seen.ttl = seen.addresses.empty() ? r->ttl : std::min(seen.ttl, r->ttl);
        seen.addresses.insert(seen.addresses.end(), r->addresses.begin(), r->addresses.end());
        if (!r->answered) seen.error = r->error;
    }
    if (seen.addresses.empty() && seen.error.empty()) seen.error = v4.error;
    std::sort(seen.addresses.begin(), seen.addresses.end());
    return seen;
}

} // namespace

Task<void> NameWatch::follow(std::string name) {
    for (;;) {
        Task<Resolution> asking4 = resolve_(name + ".", Family::v4); // absolute: no search list
        const Resolution v4 = co_await asking4;
        Task<Resolution> asking6 = resolve_(name + ".", Family::v6);
        const Resolution v6 = co_await asking6;
        NameObservation seen = seen_of(name, v4, v6, loop_.now().mono);
        const bool failed = seen.addresses.empty() || !seen.error.empty();
        const Duration wait = failed ? floor : std::clamp(seen.ttl, floor, ceiling);
        sink_(std::move(seen));
        co_await sleep(loop_, wait);
    }
}

void NameWatch::follow(const std::vector<std::string>& names) {
    const std::set<std::string> wanted(names.begin(), names.end());
    std::erase_if(followed_, [&](const auto& f) { return !wanted.contains(f.first); });
    for (const std::string& name : wanted) {
        auto& task = followed_[name];
        if (task) continue;
        task = std::make_unique<TaskGroup>(loop_);
        task->spawn(follow(name));
    }
}

} // namespace fairway::probes
