// clients.networks and clients.latency, compiled into networks that share classes.
#include "config/load/binding.hpp"

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

    /// What a network does not say itself it has from the one around it.
    void compile(Clients& out) {
        std::map<std::string, ClientClassIndex> indices{{fingerprint(ClientClass{}), 0}};
        std::vector<std::pair<Prefix, ClientClass>> around;
        for (auto& [prefix, known] : classes_) {
            while (!around.empty() && !encloses(around.back().first, prefix)) around.pop_back();
            if (!around.empty()) inherit(known, around.back().second);
            around.emplace_back(prefix, known);
            auto [it, fresh] =
                indices.try_emplace(fingerprint(known), static_cast<ClientClassIndex>(out.classes.size()));
            if (fresh && out.classes.size() > std::numeric_limits<ClientClassIndex>::max())
                return b_.problems.error({}, "clients: more than 65535 different kinds of network");
            if (fresh) out.classes.push_back(known);
            out.networks.push_back({prefix, it->second});
        }
    }

  private:
    static bool encloses(const Prefix& outer, const Prefix& inner) {
        return outer.length <= inner.length && outer.contains(inner.address);
    }

    static void inherit(ClientClass& c, const ClientClass& from) {
        if (c.rtt_ms.empty()) c.rtt_ms = from.rtt_ms;
        for (std::size_t i = 0; i < from.rtt_ms.size(); ++i)
            if (!c.rtt_ms[i]) c.rtt_ms[i] = from.rtt_ms[i];
        if (!c.coordinates) c.coordinates = from.coordinates;
        if (c.region.empty()) c.region = from.region;
    }

    static std::string fingerprint(const ClientClass& c) {
        std::string out = c.region + '\n';
        const auto put = [&](double d) { out.append(reinterpret_cast<const char*>(&d), sizeof d); };
        out += c.coordinates ? 'c' : '-';
        if (c.coordinates) put(c.coordinates->latitude), put(c.coordinates->longitude);
        for (const auto& ms : c.rtt_ms) {
            out += ms ? 'm' : '-';
            if (ms) put(*ms);
        }
        return out;
    }

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
};

} // namespace

void read_clients(const Mapping& file, Binding& b) {
    const Node* n = file.get("clients");
    if (!n) return;
    const Mapping m(*n, "clients", b.problems);
    ClientMap map(b);
    if (const Node* networks = m.get("networks")) {
        const Mapping list(*networks, "clients.networks", b.problems);
        for (const auto& e : list.entries()) map.network(e);
    }
    if (const Node* latency = m.get("latency")) {
        if (latency->is_scalar()) map.latency(*latency);
        else wrong(*latency, *find_key("clients.latency"), b.problems);
    }
    map.compile(b.model.clients);
}

} // namespace fairway::load
