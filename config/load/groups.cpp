// groups: services that move in one step or not at all; what cannot is refused here.
#include "config/load/draft.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

constexpr std::string_view path = "groups.*";

/// A group while it is read: the places of its members are what later problems point at.
struct Gathered {
    Group group;
    std::vector<Place> places; ///< as group.services
    Place place;
    bool whole = true; ///< false: something of it was refused
};

const Service& member(const Gathered& g, std::size_t i, const Binding& b) {
    return b.model.services[g.group.services[i]];
}

void read_member(const Node& n, Gathered& g, Binding& b) {
    const auto refuse = [&](const std::string& why) {
        g.whole = false;
        b.problems.error(n.place(), "groups: " + why);
    };
    const auto name = n.is_scalar() ? Name::parse(n.text) : std::nullopt;
    if (!name) {
        g.whole = false;
        return wrong(n, *find_key("groups.*.services.[]"), b.problems);
    }
    const auto index = b.model.find_service(*name);
    if (!index) {
        std::vector<std::string> all;
        for (const Service& s : b.model.services) all.push_back(s.name.to_string());
        return refuse("there is no service " +
                      with_nearest(name->to_string(), std::vector<std::string_view>(all.begin(), all.end())));
    }
    Service& s = b.model.services[*index];
    if (!b.services[*index].usable) g.whole = false; // refused already: nothing more is said
    if (s.group)
        return refuse(s.name.to_string() + " is in two groups, " + b.model.groups[*s.group].name + " and " +
                      g.group.name);
    if (std::ranges::find(g.group.services, *index) != g.group.services.end())
        return refuse(s.name.to_string() + " is given twice");
    g.group.services.push_back(*index);
    g.places.push_back(n.place());
}

std::vector<DatacenterIndex> places_of(const Service& s) {
    std::vector<DatacenterIndex> all;
    for (const Endpoint& e : s.endpoints) all.push_back(e.datacenter);
    std::ranges::sort(all);
    return all;
}

std::vector<DatacenterIndex> order_of(const Service& s) {
    std::vector<DatacenterIndex> all;
    for (EndpointIndex e : std::get<ActivePassive>(s.policy).order) all.push_back(s.endpoints[e].datacenter);
    return all;
}

/// What tells one primary from another: the checks, and where they look in each datacenter.
std::string primary_of(const Service& s) {
    std::map<DatacenterIndex, std::string> sites;
    for (const Endpoint& e : s.endpoints)
        each_check(*s.stateful, [&](CheckIndex c, bool) {
            std::string& text = sites[e.datacenter] += " " + std::to_string(c);
            const auto targets = e.targets.find(c);
            if (targets == e.targets.end()) {
                for (const IpAddress& a : e.addresses) text += " " + a.to_string();
                return;
            }
            for (const Target& t : targets->second) {
                const auto* ip = std::get_if<IpAddress>(&t.host);
                text += " " + (ip ? ip->to_string() : std::get<std::string>(t.host)) + ":" +
                        std::to_string(t.port.value_or(0));
            }
        });
    std::string text;
    for (const auto& [site, looks] : sites) text += std::to_string(site) + looks + ";";
    return text;
}

void common_datacenter(Gathered& g, Binding& b) {
    std::vector<DatacenterIndex> common = places_of(member(g, 0, b));
    for (std::size_t i = 1; i < g.group.services.size(); ++i) {
        std::vector<DatacenterIndex> both;
        std::ranges::set_intersection(common, places_of(member(g, i, b)), std::back_inserter(both));
        common = std::move(both);
        if (!common.empty()) continue;
        g.whole = false;
        return b.problems.error(g.places[i], "groups: the services of " + g.group.name +
                                                 " have no datacenter in common with " +
                                                 member(g, i, b).name.to_string());
    }
}

/// All of them answer one datacenter at a time, or none of them does.
void one_kind(Gathered& g, Binding& b) {
    const auto ordered = [](const Service& s) { return std::holds_alternative<ActivePassive>(s.policy); };
    g.group.ordered = ordered(member(g, 0, b));
    for (std::size_t i = 1; i < g.group.services.size(); ++i)
        if (ordered(member(g, i, b)) != g.group.ordered) {
            g.whole = false;
            return b.problems.error(g.places[i], "groups: " + member(g, i, b).name.to_string() + " and " +
                                                     member(g, 0, b).name.to_string() +
                                                     " cannot be grouped: active_passive answers one "
                                                     "datacenter, the other policy several");
        }
}

/// Who leads: the service that follows a primary, else the one with a runbook, else the first.
std::size_t leader(const Gathered& g, const Binding& b) {
    for (std::size_t i = 0; i < g.group.services.size(); ++i)
        if (member(g, i, b).follows_primary() && !member(g, i, b).hooks.empty()) return i;
    for (std::size_t i = 0; i < g.group.services.size(); ++i)
        if (member(g, i, b).follows_primary()) return i;
    for (std::size_t i = 0; i < g.group.services.size(); ++i)
        if (!member(g, i, b).hooks.empty()) return i;
    return 0;
}

void compare(const Gathered& g, std::size_t i, Binding& b) {
    const Service &first = member(g, 0, b), &s = member(g, i, b);
    const auto refuse = [&](const std::string& why) {
        b.problems.error(g.places[i], "groups: " + s.name.to_string() + " cannot move together with " +
                                          first.name.to_string() + ": " + why);
    };
    if (!s.hooks.empty() && !first.hooks.empty()) refuse("both have hooks, and a group has one runbook");
    else if (!s.hooks.empty() && !s.follows_primary())
        refuse("the primary's role moves them, its hooks never run");
    if (places_of(s) != places_of(first)) return refuse("they are not in the same datacenters");
    if (s.follows_primary() && first.follows_primary()) {
        if (primary_of(s) != primary_of(first)) refuse("they follow different primaries");
    } else if (!first.follows_primary() && order_of(s) != order_of(first)) {
        refuse("they prefer datacenters in a different order");
    } else if (order_of(s).size() != s.endpoints.size()) {
        refuse("its `order` leaves out a datacenter where the primary may be");
    }
}

/// An active/passive group moves as carefully as the most careful of its services.
void most_careful(const Gathered& g, Binding& b) {
    auto failover = Service::Failover::automatic;
    auto failback = Service::Failback::automatic;
    Duration after{};
    for (ServiceIndex s : g.group.services) {
        failover = std::max(failover, b.model.services[s].failover);
        failback = std::max(failback, b.model.services[s].failback);
        after = std::max(after, b.model.services[s].failback_after);
    }
    for (ServiceIndex i : g.group.services) {
        Service& s = b.model.services[i];
        s.failover = failover;
        s.failback = failback;
        s.failback_after = after;
    }
}

void judge_ordered(Gathered& g, Binding& b) {
    const std::size_t first = leader(g, b);
    std::swap(g.group.services[0], g.group.services[first]);
    std::swap(g.places[0], g.places[first]);
    for (std::size_t i = 1; i < g.group.services.size(); ++i) compare(g, i, b);
    if (!member(g, 0, b).follows_primary()) most_careful(g, b);
}

void judge(Gathered& g, Binding& b) {
    if (g.whole) common_datacenter(g, b);
    if (g.whole) one_kind(g, b);
    if (g.whole && g.group.ordered) judge_ordered(g, b);
}

void add(Gathered& g, Binding& b) {
    for (ServiceIndex i : g.group.services) {
        Service& s = b.model.services[i];
        s.group = static_cast<std::uint16_t>(b.model.groups.size());
        g.group.names.push_back(s.name.to_string());
        for (const std::string& tag : s.tags)
            if (std::ranges::find(g.group.tags, tag) == g.group.tags.end()) g.group.tags.push_back(tag);
    }
    b.model.groups.push_back(std::move(g.group));
}

void read_group(const Mapping::Entry& entry, Binding& b) {
    Gathered g{.place = entry.place};
    g.group.name = entry.name;
    const Mapping m(*entry.value, path, b.problems);
    bool together = true;
    m.read("together", together);
    const Node* list = m.get("services");
    if (!list) return;
    if (!list->is_sequence()) return wrong(*list, *find_key("groups.*.services"), b.problems);
    for (const Node& item : list->items) read_member(item, g, b);
    if (g.group.services.size() < 2 && g.whole)
        return b.problems.error(list->place(), "groups: " + g.group.name + " needs at least two services");
    if (!together) return; // named, and each moves by itself
    judge(g, b);
    add(g, b);
}

} // namespace

void read_groups(const Mapping& file, Binding& b) {
    const Node* n = file.get("groups");
    if (!n) return;
    const Mapping m(*n, "groups", b.problems);
    for (const auto& entry : m.entries()) read_group(entry, b);
}

} // namespace fairway::load
