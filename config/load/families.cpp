// `families: independent`: of the service two halves are made, one for each family, once all else is read.
#include "config/load/binding.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

bool has(const Endpoint& e, Family family) {
    return std::ranges::any_of(e.addresses, [&](const IpAddress& a) { return a.family == family; });
}

/// What is decided once cannot be decided for each family.
std::string what_binds(const Service& s) {
    const bool ordered = std::holds_alternative<ActivePassive>(s.policy);
    if (s.follows_primary()) return "it follows the primary, and that is in one datacenter";
    if (ordered && s.stateful)
        return "with a stateful tier active_passive answers one datacenter, lest two be written";
    if (!s.hooks.empty()) return "it has hooks, and they switch all of it";
    if (s.group) return "it moves together with other services";
    if (std::ranges::any_of(s.endpoints, [](const Endpoint& e) { return e.cname.has_value(); }))
        return "an endpoint answers with a CNAME, which is there for both";
    return {};
}

/// A service whose endpoints have one family has nothing to decide apart.
bool has_both(const Service& s) {
    bool v4 = false, v6 = false;
    for (const Endpoint& e : s.endpoints) {
        v4 |= e.alias || has(e, Family::v4);
        v6 |= e.alias || has(e, Family::v6);
    }
    return v4 && v6;
}

Service half_of(const Service& whole, Family family) {
    const auto other = [&](const IpAddress& a) { return a.family != family; };
    Service half = whole;
    half.family = family;
    std::erase_if(half.on_all_down.addresses, other);
    for (Endpoint& e : half.endpoints) {
        std::erase_if(e.addresses, other);
        std::erase_if(e.unchecked_addresses, other);
    }
    if (auto* p = std::get_if<ActivePassive>(&half.policy))
        std::erase_if(p->order, [&](EndpointIndex i) {
            return half.endpoints[i].addresses.empty() && !half.endpoints[i].alias;
        });
    return half;
}

} // namespace

void split_families(Binding& b) {
    std::vector<Service> all;
    std::vector<ServiceIndex> moved_to;
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        Service& s = b.model.services[i];
        const auto& said = b.services[i].families;
        moved_to.push_back(static_cast<ServiceIndex>(all.size()));
        const std::string bound = said && b.services[i].usable ? what_binds(s) : "";
        if (!bound.empty())
            b.problems.error(*said, "families: independent is not for " + s.name.to_string() + ": " + bound);
        if (said && has_both(s)) {
            all.push_back(half_of(s, Family::v4));
            all.push_back(half_of(s, Family::v6));
        } else all.push_back(std::move(s));
    }
    b.model.services = std::move(all);
    for (Group& g : b.model.groups)
        for (ServiceIndex& s : g.services) s = moved_to[s];
}

} // namespace fairway::load
