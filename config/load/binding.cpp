#include "config/load/binding.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fairway::load {

std::optional<DatacenterIndex> Binding::datacenter(std::string_view name, const Place& place) {
    if (auto found = model.find_datacenter(name)) return found;
    std::vector<std::string_view> names;
    for (const Datacenter& d : model.datacenters) names.push_back(d.name);
    problems.error(place, "there is no datacenter " + with_nearest(name, names));
    return std::nullopt;
}

NamedCheck* Binding::check(std::string_view name, const Place& place) {
    if (auto it = checks.find(name); it != checks.end()) return &it->second;
    problems.error(place, "there is no check " + with_nearest(name, names_of(checks)));
    return nullptr;
}

std::optional<std::size_t> Binding::zone_of(const Name& name) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < model.zones.size(); ++i)
        if (name.is_under(model.zones[i].name) &&
            (!best || model.zones[i].name.labels() > model.zones[*best].name.labels()))
            best = i;
    return best;
}

std::optional<Name> Binding::name_in_zone(std::string_view text, const Name& service) const {
    const Name* zone = nullptr;
    for (const Name& z : zone_names)
        if (service.is_under(z) && (!zone || z.labels() > zone->labels())) zone = &z;
    return Name::parse(text, zone ? *zone : Name());
}

bool plain_name(const Node& key, Diagnostics& problems) {
    constexpr std::string_view allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    constexpr std::size_t longest = 63; // as a DNS label
    const bool fits = !key.text.empty() && key.text.size() <= longest;
    if (fits && key.text.find_first_not_of(allowed) == key.text.npos) return true;
    problems.error(key.place(),
                   key.describe() + " cannot be a name: expected up to 63 letters, digits, `-`, `_`, `.`");
    return false;
}

void readable_file(const Node* n, const std::string& file, Diagnostics& problems) {
    if (n && !file.empty() && access(file.c_str(), R_OK) != 0)
        problems.error(n->place(), "`" + n->text + "` cannot be read: " + std::strerror(errno));
}

} // namespace fairway::load
