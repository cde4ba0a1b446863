#include "policies/alias.hpp"

#include <algorithm>
#include <iterator>

namespace fairway::policies {

namespace {

using Addresses = std::vector<IpAddress>;

constexpr int fails_after = 10; // times the TTL

Addresses sorted(Addresses a) {
    std::ranges::sort(a);
    const auto twice = std::ranges::unique(a);
    a.erase(twice.begin(), twice.end());
    if (a.size() > most_alias_addresses) a.resize(most_alias_addresses);
    return a;
}

Addresses without(const Addresses& all, const Addresses& less) {
    Addresses left;
    std::ranges::set_difference(all, less, std::back_inserter(left));
    return left;
}

} // namespace

Addresses Alias::addresses() const {
    Addresses all;
    std::ranges::set_union(found, vanished, std::back_inserter(all));
    return all;
}

bool resolve(Alias& a, const NameObservation& seen) {
    a.error = seen.error;
    if (seen.addresses.empty()) {
        if (a.error.empty()) a.error = "the name has no address";
        return false;
    }
    a.resolved = seen.at;
    a.ttl = std::max(seen.ttl, alias_ttl_floor);
    const Addresses before = a.addresses();
    Addresses found = seen.addresses;
    for (const IpAddress& known : a.found) // of a family that failed what was known still holds
        if (known.family == Family::v4 ? !seen.v4 : !seen.v6) found.push_back(known);
    a.found = sorted(std::move(found));
    a.vanished = sorted(without(before, a.found));
    return a.addresses() != before;
}

bool let_go(Alias& a, const std::function<bool(const IpAddress&)>& passes) {
    if (a.vanished.empty()) return false;
    bool any = false, v4 = false, v6 = false, has_v4 = false, has_v6 = false;
    for (const IpAddress& f : a.found) {
        const bool is_v4 = f.family == Family::v4;
        (is_v4 ? has_v4 : has_v6) = true;
        if (!passes(f)) continue;
        any = true;
        (is_v4 ? v4 : v6) = true;
    }
    return std::erase_if(a.vanished, [&](const IpAddress& gone) {
               const bool is_v4 = gone.family == Family::v4;
               return (is_v4 ? has_v4 : has_v6) ? (is_v4 ? v4 : v6) : any;
           }) > 0;
}

Instant fails_at(const Alias& a) { return a.resolved + fails_after * a.ttl; }

} // namespace fairway::policies
