#include "config/load/binding.hpp"

namespace fairway::load {
namespace {

constexpr std::size_t most = 256; // sixteen times the largest we are built for; indices are of 16 bits

void read_coordinates(const Mapping& m, std::optional<Coordinates>& out) {
    Coordinates c;
    const bool latitude = m.read("latitude", c.latitude), longitude = m.read("longitude", c.longitude);
    if (m.has("latitude") != m.has("longitude"))
        m.problems().error(m.place_of(m.has("latitude") ? "latitude" : "longitude"),
                           "latitude and longitude only make sense together");
    else if (latitude && longitude) out = c;
}

void read_datacenter(const Node::Member& member, Binding& b) {
    Datacenter d;
    plain_name(member.key, b.problems);
    d.name = member.key.text;
    const Mapping m(member.value, "datacenters.*", b.problems);
    m.read("region", d.region);
    m.read("zone", d.zone);
    m.read("capacity", d.capacity);
    read_coordinates(m, d.coordinates);
    b.model.datacenters.push_back(std::move(d));
}

} // namespace

void read_datacenters(const Mapping& file, Binding& b) {
    const Node* n = file.get("datacenters");
    if (!n) return;
    if (!n->is_mapping()) return wrong(*n, *find_key("datacenters"), b.problems);
    if (n->members.size() > most)
        return b.problems.error(n->place(), "more than " + std::to_string(most) + " datacenters");
    for (const Node::Member& m : n->members) read_datacenter(m, b);
}

} // namespace fairway::load
