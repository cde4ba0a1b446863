#include "dns/client_tables.hpp"

#include <string_view>

namespace fairway::dns {
namespace {

std::size_t hash_of(const ClientTable& table) {
    return std::hash<std::string_view>()(
        {reinterpret_cast<const char*>(table.data()), table.size() * sizeof table[0]});
}

} // namespace

ClientTablePtr ClientTables::share(ClientTable table) {
    const std::size_t hash = hash_of(table);
    const auto [first, last] = known_.equal_range(hash);
    for (auto i = first; i != last; ++i)
        if (auto one = i->second.lock(); one && *one == table) return one;
    if (known_.size() >= forget_at_) forget_unused();
    ClientTablePtr one(
        new ClientTable(std::move(table))); // apart from its counters, which known_ may hold longer
    known_.emplace(hash, one);
    return one;
}

// When there are twice as many as were in use the last time: so its cost is spread over those that came
// since.
void ClientTables::forget_unused() {
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = 2 * known_.size() + 64;
}

} // namespace fairway::dns
