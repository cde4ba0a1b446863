// clients.networks, clients.latency and clients.geoip, compiled into networks that share classes.
#include "config/load/binding.hpp"
#include "config/load/geoip.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <limits>

namespace fairway::load {
namespace {

constexpr unsigned most_errors = 20; // of one file: it is not a latency map, then
constexpr double longest_ms = 60000; // a minute away is not a place traffic goes to

std::string_view trimmed(std::string_view s) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = s.find_first_not_of(blanks);
    if (first == s.npos) return {};
    return s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

std::string_view take_field(std::string_view& line) {
    const std::size_t comma = std::min(line.find(','), line.size());
    const std::string_view field = trimmed(line.substr(0, comma));
    line.remove_prefix(std::min(comma + 1, line.size()));
    return field;
}

std::optional<double> milliseconds(std::string_view text) {
    double ms = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (error != std::errc{} || end != text.data() + text.size() || !(ms >= 0 && ms <= longest_ms))
        return std::nullopt;
    return ms;
}

bool encloses(const Prefix& outer, const Prefix& inner) {
    return outer.length <= inner.length && outer.contains(inner.address);
}

class ClientMap {
  public:
    explicit ClientMap(Binding& b) : b_(b) {}

    void network(const Mapping::Entry& e) {
        const auto prefix = Prefix::parse(e.name);
        const Mapping m(*e.value, "clients.networks.*", b_.problems);
        if (!prefix) return b_.problems.error(e.place, bad_prefix(e.name));
        ClientClass& c = classes_[*prefix];
        Coordinates at;
        m.read("region", c.region);
        m.read("country", c.country);
        m.read("continent", c.continent);
        unsigned asn = 0;
        if (m.read("asn", asn)) c.asn = asn;
        const bool latitude = m.read("latitude", at.latitude), longitude = m.read("longitude", at.longitude);
        if (m.has("latitude") != m.has("longitude"))
            b_.problems.error(m.place(), "latitude and longitude only make sense together");
        if (latitude && longitude) c.coordinates = at;
        else if (m.has("region")) c.coordinates = of_region(c.region, m.get("region")->place());
    }

    void latency(const Node& n) {
        const std::string path = n.path().string();
        errno = 0;
        std::ifstream in(path);
        in.peek();
        if (errno)
            return b_.problems.error(n.place(), "`" + path + "` cannot be read: " + std::strerror(errno));
        std::string line;
        unsigned errors = 0;
        for (int number = 1; errors < most_errors && std::getline(in, line); ++number) {
            const std::string why = measurement(trimmed(line), number);
            if (why.empty()) continue;
            b_.problems.error({path, number}, why);
            if (++errors == most_errors)
                b_.problems.error({path, number}, "so many errors; the rest of this file is not read");
        }
    }

    void geoip(const Node& n, const Asked& asked) {
        std::vector<std::string> files;
        if (!read_value(n, *find_key("clients.geoip"), files, b_.problems)) return;
        if (asked.nothing())
            b_.problems.warning(n.place(), "geoip: no policy asks what a database knows; it is not read");
        for (const std::string& file : files) {
            std::string error;
            if (!asked.nothing()) databases_.push_back(read_geoip(file, asked, error));
            if (!error.empty()) b_.problems.error(n.place(), "`" + file + "` cannot be read: " + error);
        }
    }

    /// The networks that branches of policies name.
    void lists() {
        const auto& lists = b_.model.clients.lists;
        for (std::size_t i = 0; i < lists.size(); ++i)
            for (const Prefix& p : lists[i]) classes_[p].lists.push_back(static_cast<std::uint16_t>(i));
    }

    void compile(Clients& out);

  private:
    static std::string bad_prefix(std::string_view text) {
        const std::size_t slash = text.find('/');
        const auto address = IpAddress::parse(text.substr(0, slash));
        std::string out = "expected a network such as 203.0.113.0/24, found `" + std::string(text) + '`';
        unsigned length = 999;
        if (slash != text.npos) std::from_chars(text.data() + slash + 1, text.data() + text.size(), length);
        if (address && slash == text.npos) out += ": the length is missing";
        else if (address && length <= address->bits()) out += ": bits beyond the length are set";
        return out;
    }

    std::optional<Coordinates> of_region(const std::string& region, const Place& place) {
        bool known = false;
        std::vector<std::string_view> regions;
        for (const Datacenter& d : b_.model.datacenters) {
            if (d.region == region && d.coordinates) return d.coordinates;
            known = known || d.region == region;
            regions.push_back(d.region);
        }
        if (!known)
            b_.problems.warning(place,
                                "no datacenter is in the region " + with_nearest(region, regions) +
                                    ", and no coordinates are given: nothing is known of this network");
        return std::nullopt;
    }

    /// One line of the file; what is wrong with it, or nothing.
    std::string measurement(std::string_view line, int number) {
        if (line.empty() || line.front() == '#') return {};
        if (number == 1 && line == "prefix,datacenter,milliseconds") return {};
        std::string_view rest = line;
        const std::string_view network = take_field(rest), place = take_field(rest), time = take_field(rest);
        if (place.empty() || time.empty() || !trimmed(rest).empty())
            return "expected prefix,datacenter,milliseconds, found `" + std::string(line.substr(0, 80)) + '`';
        const auto prefix = Prefix::parse(network);
        if (!prefix) return bad_prefix(network);
        const auto datacenter = b_.model.find_datacenter(place);
        if (!datacenter) {
            std::vector<std::string_view> names;
            for (const Datacenter& d : b_.model.datacenters) names.push_back(d.name);
            return "there is no datacenter " + with_nearest(place, names);
        }
        const auto ms = milliseconds(time);
        if (!ms) return "expected milliseconds from 0 to 60000, found `" + std::string(time) + '`';
        auto& rtt = classes_[*prefix].rtt_ms;
        rtt.resize(b_.model.datacenters.size());
        if (rtt[*datacenter]) return network_text(network, place) + " is given twice";
        rtt[*datacenter] = ms;
        return {};
    }

    static std::string network_text(std::string_view network, std::string_view place) {
        return std::string(network) + " to " + std::string(place);
    }

    Binding& b_;
    std::map<Prefix, ClientClass> classes_; // an enclosing network comes before those in it
    std::vector<GeoMap> databases_;
};

/// What a network does not say itself it has from the one around it, or from a database.
void inherit(ClientClass& c, const ClientClass& from) {
    if (c.rtt_ms.empty()) c.rtt_ms = from.rtt_ms;
    for (std::size_t i = 0; i < from.rtt_ms.size(); ++i)
        if (!c.rtt_ms[i]) c.rtt_ms[i] = from.rtt_ms[i];
    if (!c.coordinates) c.coordinates = from.coordinates;
    if (c.region.empty()) c.region = from.region;
    if (c.country.empty()) c.country = from.country;
    if (c.continent.empty()) c.continent = from.continent;
    if (!c.asn) c.asn = from.asn;
    std::vector<std::uint16_t> lists;
    std::set_union(c.lists.begin(), c.lists.end(), from.lists.begin(), from.lists.end(),
                   std::back_inserter(lists));
    c.lists = std::move(lists);
}

std::string fingerprint(const ClientClass& c) {
    std::string out = c.region + '\n' + c.country + '\n' + c.continent + '\n' + std::to_string(c.asn);
    for (const auto l : c.lists) out += ' ' + std::to_string(l);
    const auto put = [&](double d) { out.append(reinterpret_cast<const char*>(&d), sizeof d); };
    out += c.coordinates ? 'c' : '-';
    if (c.coordinates) put(c.coordinates->latitude), put(c.coordinates->longitude);
    for (const auto& ms : c.rtt_ms) {
        out += ms ? 'm' : '-';
        if (ms) put(*ms);
    }
    return out;
}

/// One source of knowledge, gone through in the order of its networks; what is around the present one stays
/// at hand.
template<class Iterator> struct Layer {
    Iterator next, end;
    std::vector<Iterator> around{};

    void step(const Prefix& to) {
        while (!around.empty() && !encloses(around.back()->first, to)) around.pop_back();
        if (next != end && next->first == to) around.push_back(next++);
    }
};
template<class Iterator> Layer(Iterator, Iterator) -> Layer<Iterator>;

/// Own networks come first; of the databases the first that knows. All are gone through side by side, so that
/// each network that any of them names is made once, with what all of them say of it.
void ClientMap::compile(Clients& out) {
    std::map<std::string, ClientClassIndex> indices{{fingerprint(ClientClass{}), 0}};
    std::vector<decltype(classes_)::const_iterator> outer;
    for (auto own = classes_.begin(); own != classes_.end(); ++own) {
        while (!outer.empty() && !encloses(outer.back()->first, own->first)) outer.pop_back();
        if (!outer.empty()) inherit(own->second, outer.back()->second);
        outer.push_back(own);
    }
    Layer own{classes_.cbegin(), classes_.cend()};
    std::vector<Layer<decltype(GeoMap::networks)::const_iterator>> databases;
    for (const GeoMap& map : databases_) databases.push_back({map.networks.begin(), map.networks.end()});
    std::vector<Clients::Network> around; // those made that hold the present one
    for (;;) {
        const Prefix* at = own.next != own.end ? &own.next->first : nullptr;
        for (const auto& db : databases)
            if (db.next != db.end && (!at || db.next->first < *at)) at = &db.next->first;
        if (!at) return;
        const Prefix prefix = *at;
        own.step(prefix);
        ClientClass known = own.around.empty() ? ClientClass{} : own.around.back()->second;
        for (std::size_t i = 0; i < databases.size(); ++i) {
            databases[i].step(prefix);
            if (!databases[i].around.empty())
                inherit(known, databases_[i].places[databases[i].around.back()->second]);
        }
        auto [it, fresh] =
            indices.try_emplace(fingerprint(known), static_cast<ClientClassIndex>(out.classes.size()));
        if (fresh && out.classes.size() > std::numeric_limits<ClientClassIndex>::max())
            return b_.problems.error({}, "clients: more than 65535 different kinds of network");
        if (fresh) out.classes.push_back(std::move(known));
        while (!around.empty() && !encloses(around.back().prefix, prefix)) around.pop_back();
        const ClientClassIndex outside = around.empty() ? ClientClassIndex{0} : around.back().client_class;
        if (outside == it->second && !classes_.contains(prefix)) continue; // a database says nothing new here
        around.push_back({prefix, it->second});
        out.networks.push_back(around.back());
    }
}

/// What the policies of all services ask about clients.
void ask(const Policy& policy, Asked& asked) {
    auto* geo = std::get_if<Geo>(&policy);
    asked.coordinates |= std::holds_alternative<Latency>(policy) || (geo && geo->branches.empty());
    for (const Branch& b : geo ? geo->branches : std::vector<Branch>()) {
        asked.regions.insert(b.whom.regions.begin(), b.whom.regions.end());
        asked.countries.insert(b.whom.countries.begin(), b.whom.countries.end());
        asked.continents.insert(b.whom.continents.begin(), b.whom.continents.end());
        asked.asns.insert(b.whom.asns.begin(), b.whom.asns.end());
        ask(b.policy, asked);
    }
}

Asked asked_of_clients(const Model& m) {
    Asked asked;
    for (const Service& s : m.services) {
        ask(s.policy, asked);
        if (auto* geo = std::get_if<Geo>(&s.policy); geo && geo->branches.empty())
            for (const Datacenter& d : m.datacenters)
                if (!d.region.empty()) asked.regions.insert(d.region);
    }
    return asked;
}

} // namespace

void read_clients(const Mapping& file, Binding& b) {
    ClientMap map(b);
    map.lists();
    if (const Node* n = file.get("clients")) {
        const Mapping m(*n, "clients", b.problems);
        if (const Node* networks = m.get("networks")) {
            const Mapping list(*networks, "clients.networks", b.problems);
            for (const auto& e : list.entries()) map.network(e);
        }
        if (const Node* latency = m.get("latency")) {
            if (latency->is_scalar()) map.latency(*latency);
            else wrong(*latency, *find_key("clients.latency"), b.problems);
        }
        if (const Node* learned = m.get("learned")) {
            const Mapping l(*learned, "clients.learned", b.problems);
            unsigned networks = 0;
            if (l.read("networks", networks)) b.model.learned.networks = networks;
            l.read("half_life", b.model.learned.half_life);
        }
        if (const Node* geoip = m.get("geoip")) map.geoip(*geoip, asked_of_clients(b.model));
    }
    map.compile(b.model.clients);
}

} // namespace fairway::load
