#include "config/load/binding.hpp"
#include "config/load/zone_builder.hpp"
#include "config/load/zone_file.hpp"

#include <algorithm>
#include <utility>

namespace fairway::load {
namespace {

// Names and addresses of name servers change rarely and are repeated in the parent zone.
constexpr std::uint32_t name_server_ttl = 3600;

std::uint32_t seconds(Duration d) { return static_cast<std::uint32_t>(d / 1s); }

void append(std::vector<std::uint8_t>& to, std::uint32_t n) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(static_cast<std::uint8_t>(n >> shift));
}

void append(std::vector<std::uint8_t>& to, const Name& n) {
    to.insert(to.end(), n.wire().begin(), n.wire().end());
}

/// Changes when the records do, so that name servers that hold different ones show it.
std::uint32_t fingerprint(const Records& records) {
    std::uint32_t h = 2166136261U; // FNV-1a
    const auto mix = [&](std::span<const std::uint8_t> octets) {
        for (std::uint8_t o : octets) h = (h ^ o) * 16777619U;
    };
    for (std::size_t i = 0; i < records.size(); ++i) {
        mix(records[i].owner);
        mix(records[i].rdata);
    }
    return std::max(h, 1U);
}

class ZoneBinder {
  public:
    ZoneBinder(const Name& name, const Node::Member& member, Binding& b)
        : b_(b),
          file_(member.key.file),
          place_(member.key.place()),
          zone_(name, b.problems),
          m_(member.value, "zones.*", b.problems),
          whole_(member.value.is_mapping()) {}

    void bind(const std::map<Name, Place>& services, Duration smallest_ttl) {
        name_servers();
        records();
        if (const Node* n = m_.get("file")) {
            std::string path;
            whole_ = m_.read("file", path) && read_zone_file(path, n->place(), zone_) && whole_;
        }
        soa(smallest_ttl);
        if (whole_ && !zone_.has(rrtype::ns))
            b_.problems.error(place_,
                              "the zone has no name servers: give `nameservers`, or NS records in its file");
        zone_.check(services);
        finish();
    }

  private:
    void name_servers() {
        const Node* n = m_.get("nameservers");
        if (!n) return;
        const Mapping servers(*n, "zones.*.nameservers", b_.problems);
        for (const auto& e : servers.entries()) name_server(e);
        if (n->is_mapping() && n->members.empty())
            b_.problems.error(n->place(), "nameservers: expected at least one");
        if (servers.entries().empty() || !first_) whole_ = false;
    }

    void name_server(const Mapping::Entry& e) {
        const auto host = Name::parse(e.name, zone_.name());
        if (!host) return b_.problems.error(e.place, "`" + std::string(e.name) + "` is not a domain name");
        std::vector<IpAddress> addresses;
        const bool right = read_value(*e.value, *find_key("zones.*.nameservers.*"), addresses, b_.problems);
        const bool inside = host->is_under(zone_.name());
        if (right && inside && addresses.empty())
            b_.problems.error(e.place, host->to_string() + " lies in the zone and needs an address");
        if (!inside && !addresses.empty())
            b_.problems.error(e.place, host->to_string() +
                                           " lies outside the zone: its addresses are not ours to give");
        add(e, zone_.name(), rrtype::ns, host->wire());
        for (const IpAddress& a : addresses)
            if (inside)
                add(e, *host, a.family == Family::v4 ? rrtype::a : rrtype::aaaa, {a.bytes.data(), a.size()});
        notes_.name_server_addresses.insert(notes_.name_server_addresses.end(), addresses.begin(),
                                            addresses.end());
        if (!first_) first_ = host;
    }

    void add(const Mapping::Entry& e, const Name& owner, std::uint16_t type,
             std::span<const std::uint8_t> rdata) {
        zone_.add(owner, type, name_server_ttl, rdata, e.value->file, e.place.line, e.place.column);
    }

    void records() {
        const Node* n = m_.get("records");
        if (!n) return;
        if (!n->is_sequence()) return wrong(*n, *find_key("zones.*.records"), b_.problems);
        for (const Node& item : n->items) {
            if (item.is_scalar()) read_record_line(item.text, item.file, item.line, item.column, zone_);
            else
                wrong(item, *find_key("zones.*.records.[]"), b_.problems,
                      "a text such as \"www 300 CNAME shop\"");
        }
    }

    void read_name(const Mapping& m, std::string_view key, Name& out) {
        std::string text;
        if (!m.read(key, text)) return;
        if (auto name = Name::parse(text, zone_.name())) out = *name;
        else wrong(*m.get(key), *find_key("zones.*.soa." + std::string(key)), b_.problems);
    }

    /// Its own if the records have one; else made of `soa`, with a default for each field.
    void soa(Duration smallest_ttl) {
        const Node* n = m_.get("soa");
        if (zone_.has(rrtype::soa)) {
            if (n)
                b_.problems.error(n->place(),
                                  "soa: the zone's records have a SOA already; say it in one place");
            return;
        }
        if (!first_) {
            if (std::exchange(whole_, false))
                b_.problems.error(place_,
                                  "the zone has no SOA: give `nameservers`, or a SOA record in its file");
            return;
        }
        static const Node nothing = [] {
            Node empty;
            empty.kind = Node::Kind::mapping;
            return empty;
        }();
        make_soa(Mapping(n ? *n : nothing, "zones.*.soa", b_.problems), smallest_ttl);
    }

    void make_soa(const Mapping& m, Duration smallest_ttl) {
        Name mname = *first_, rname = *zone_.name().child("hostmaster");
        unsigned serial = fingerprint(zone_.records());
        // Secondaries do not exist yet; these are the times RFC 1912 section 2.2 recommends for a zone like
        // this.
        Duration refresh = 1h, retry = 10min, expire = 24h * 14, ttl = 1h;
        Duration minimum = std::min<Duration>(5s, smallest_ttl); // a name that comes into being is seen soon
        read_name(m, "mname", mname);
        read_name(m, "rname", rname);
        m.read("serial", serial);
        m.read("refresh", refresh);
        m.read("retry", retry);
        m.read("expire", expire);
        m.read("ttl", ttl);
        if (m.read("minimum", minimum)) notes_.soa_minimum = m.get("minimum")->place();
        std::vector<std::uint8_t> rdata;
        append(rdata, mname);
        append(rdata, rname);
        append(rdata, serial);
        for (Duration d : {refresh, retry, expire, minimum}) append(rdata, seconds(d));
        zone_.add(zone_.name(), rrtype::soa, seconds(ttl), rdata, file_, place_.line, place_.column);
    }

    void finish() {
        notes_.place = place_;
        notes_.name_servers = zone_.apex_name_servers();
        notes_.negative_ttl = std::chrono::seconds(zone_.negative_ttl());
        b_.model.zones.push_back(zone_.take());
        b_.zones.push_back(std::move(notes_));
    }

    Binding& b_;
    std::shared_ptr<const std::string> file_;
    Place place_;
    ZoneBuilder zone_;
    Mapping m_;
    bool whole_; ///< false: part of it could not be read, and more errors would only follow from that
    std::optional<Name> first_;
    ZoneNotes notes_;
};

struct Named {
    Name name;
    const Node::Member* member;
};

std::vector<Named> zone_names(const Node& n, Binding& b) {
    std::map<Name, Place> seen;
    std::vector<Named> out;
    for (const Node::Member& m : n.members) {
        const auto name = Name::parse(m.key.text);
        if (!name) {
            b.problems.error(m.key.place(), '`' + m.key.text + "` is not a domain name");
        } else if (auto [it, fresh] = seen.emplace(*name, m.key.place()); !fresh) {
            b.problems.error(m.key.place(), "the zone " + name->to_string() + " is given twice; first at " +
                                                it->second.to_string());
        } else {
            out.push_back({*name, &m});
        }
    }
    return out;
}

const Named* zone_of(const Name& service, const std::vector<Named>& zones) {
    const Named* best = nullptr;
    for (const Named& z : zones)
        if (service.is_under(z.name) && (!best || z.name.labels() > best->name.labels())) best = &z;
    return best;
}

} // namespace

void note_zone_names(const Mapping& file, Binding& b) {
    if (const Node* n = file.get("zones"))
        for (const Node::Member& m : n->members)
            if (auto name = Name::parse(m.key.text)) b.zone_names.push_back(std::move(*name));
}

void read_zones(const Mapping& file, Binding& b) {
    const Node* n = file.get("zones");
    if (n && !n->is_mapping()) return wrong(*n, *find_key("zones"), b.problems);
    const std::vector<Named> zones = n ? zone_names(*n, b) : std::vector<Named>();
    std::map<const Named*, std::map<Name, Place>> services;
    std::map<const Named*, Duration> smallest;
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        const Service& s = b.model.services[i];
        const Named* zone = zone_of(s.name, zones);
        if (!zone) {
            b.problems.error(b.services[i].name, s.name.to_string() + " lies in none of the zones");
            continue;
        }
        services[zone].emplace(s.name, b.services[i].name);
        auto [it, fresh] = smallest.emplace(zone, s.ttl.min);
        if (!fresh) it->second = std::min(it->second, s.ttl.min);
    }
    for (const Named& z : zones) {
        const auto it = smallest.find(&z);
        ZoneBinder(z.name, *z.member, b).bind(services[&z], it == smallest.end() ? 1h : it->second);
    }
}

} // namespace fairway::load
