// What the readers share while a Model is being made: the model so far, the names that can be referred to,
// and the places that later checks want to point at. Lives for one load().
#pragma once

#include "config/load/mapping.hpp"
#include "config/model.hpp"

#include <map>
#include <set>

namespace fairway::load {

struct NamedCheck {
    CheckIndex index = 0;
    Place place;
    bool usable = true;    ///< false: already refused, so nothing more is said about what refers to it
    bool in_place = false; ///< written inside an expression
};

struct ServiceNotes {
    Place name, policy, ttl;
    std::optional<Place> families; ///< where it is said that they are independent
    std::vector<Place> endpoints;
    bool usable = true; ///< false: part of it was refused, and checks that need the whole are left out
};

struct ZoneNotes {
    Place place, soa_minimum;
    Duration negative_ttl{};
    std::size_t name_servers = 0;
    std::vector<IpAddress> name_server_addresses;
};

struct Binding {
    explicit Binding(Diagnostics& p) : problems(p) {}

    Diagnostics& problems;
    std::string file; ///< as it was named
    Model model;
    Ttl default_ttl;
    CheckTiming default_timing;
    std::map<std::string, NamedCheck, std::less<>> checks;
    std::map<std::string, const Node*, std::less<>> templates;
    std::vector<ServiceNotes> services; ///< as in model.services
    std::vector<ZoneNotes> zones;       ///< as in model.zones
    Place node_datacenter;
    std::vector<Name> zone_names; ///< all there will be, known before the services are read

    std::optional<DatacenterIndex> datacenter(std::string_view name,
                                              const Place& place); ///< reports an unknown one
    NamedCheck* check(std::string_view name, const Place& place);  ///< likewise
    /// The longest zone that holds the name.
    std::optional<std::size_t> zone_of(const Name& name) const;
    /// A domain name in a service's key: without a final dot it is relative to the service's zone.
    std::optional<Name> name_in_zone(std::string_view text, const Name& service) const;
};

// One reader for each group of keys.
void read_settings(const Mapping& file, Binding& b);    // settings.cpp: node, dns, http, control, state, ...
void read_datacenters(const Mapping& file, Binding& b); // datacenters.cpp
void read_clients(const Mapping& file, Binding& b);     // clients.cpp
void read_checks(const Mapping& file, Binding& b);      // checks.cpp
void read_services(const Mapping& file, Binding& b);    // services.cpp
void read_rules(const Mapping& file, Binding& b);       // rules.cpp
void read_groups(const Mapping& file, Binding& b);      // groups.cpp
void note_zone_names(const Mapping& file, Binding& b);  // zones.cpp
void read_zones(const Mapping& file, Binding& b);       // zones.cpp
void review(Binding& b);                                // review.cpp: what only the whole shows
void split_families(Binding& b);                        // families.cpp: at last, when all is known

void read_dns(const Node& n, Binding& b);    // name_server.cpp
void read_alerts(const Node& n, Binding& b); // alerts.cpp
void set_dns_defaults(DnsSettings& dns);     // likewise: where there is no `dns`, or for what it leaves out

// Parts that several groups or services have.
void read_ttl(const Node& n, std::string_view path, Ttl& out, Diagnostics& problems);
void read_timing(const Mapping& m, CheckTiming& out);
/// A name for a datacenter or a check: it becomes a word in commands, metrics and logs.
bool plain_name(const Node& key, Diagnostics& problems);
void readable_file(const Node* n, const std::string& file, Diagnostics& problems);
/// Makes a check of a mapping and gives it a name to be found by; reports what is wrong with it.
NamedCheck& add_check(const Mapping& m, const std::string& name, const Place& place, bool in_place,
                      Binding& b);

/// Keys of a map, for the nearest word.
template<class M> std::vector<std::string_view> names_of(const M& map) {
    std::vector<std::string_view> out;
    for (const auto& entry : map) out.push_back(entry.first);
    return out;
}

} // namespace fairway::load
