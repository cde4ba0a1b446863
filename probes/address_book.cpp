#include "probes/address_book.hpp"

#include <algorithm>

namespace fairway::probes {

namespace {

constexpr Duration floor = 5s; // a TTL of 0 must not mean a query a look; also between tries after a failure
constexpr Duration ceiling = 1h; // so that a TTL of a week heals within the hour

void note(Resolution& last, Resolution fresh) {
    last.error = std::move(fresh.error);
    if (fresh.addresses.empty()) return; // the last addresses hold
    std::sort(fresh.addresses.begin(), fresh.addresses.end());
    last.addresses = std::move(fresh.addresses);
    last.ttl = fresh.ttl;
}

} // namespace

Task<void> AddressBook::refresh(std::string name) {
    Task<Resolution> asking = resolve_(name);
    Resolution fresh = co_await asking;

    const auto found = entries_.find(name);
    if (found == entries_.end()) co_return; // forgotten meanwhile
    Entry& e = found->second;
    const bool failed = fresh.addresses.empty();
    e.refreshing = false;
    e.due = loop_.now().mono + (failed ? floor : std::clamp(fresh.ttl, floor, ceiling));
    note(e.last, std::move(fresh));
    for (const auto& wake : e.waiting) wake(true);
    e.waiting.clear();
}

Task<Resolution> AddressBook::find(std::string name) {
    Entry& e = entries_[name];
    if (!e.refreshing && e.due <= loop_.now().mono) {
        e.refreshing = true;
        refreshing_.spawn(refresh(name));
    }
    if (e.last.addresses.empty() && e.refreshing) {
        Completion<bool> known(loop_);
        e.waiting.push_back(known.setter());
        co_await known;
    }
    Resolution now = entries_[name].last; // anew: the entry may have been forgotten while we waited
    co_return now;
}

void AddressBook::forget_all_but(const std::set<std::string>& names) {
    std::erase_if(entries_,
                  [&](const auto& e) { return !names.contains(e.first) && e.second.waiting.empty(); });
}

} // namespace fairway::probes
