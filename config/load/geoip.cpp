#include "config/load/geoip.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <map>
#include <maxminddb.h>
#include <memory>
#include <stdexcept>
#include <tuple>
#include <unordered_map>

namespace fairway::load {
namespace {

struct Closer {
    void operator()(MMDB_s* db) const {
        MMDB_close(db);
        delete db;
    }
};
using Database = std::unique_ptr<MMDB_s, Closer>;

template<class... Path> std::optional<MMDB_entry_data_s> field(MMDB_entry_s entry, Path... path) {
    const char* const names[] = {path..., nullptr};
    MMDB_entry_data_s data{};
    if (MMDB_aget_value(&entry, &data, names) != MMDB_SUCCESS || !data.has_data) return std::nullopt;
    return data;
}

template<class... Path> std::string text(MMDB_entry_s entry, Path... path) {
    const auto data = field(entry, path...);
    if (!data || data->type != MMDB_DATA_TYPE_UTF8_STRING) return {};
    return {data->utf8_string, data->data_size};
}

template<class... Path> std::optional<double> number(MMDB_entry_s entry, Path... path) {
    const auto data = field(entry, path...);
    if (!data) return std::nullopt;
    if (data->type == MMDB_DATA_TYPE_DOUBLE) return data->double_value;
    if (data->type == MMDB_DATA_TYPE_UINT32) return data->uint32;
    return std::nullopt;
}

std::string if_asked(const std::set<std::string, std::less<>>& asked, std::string word) {
    return asked.contains(word) ? word : std::string();
}

/// Walks the tree of a database. Two halves of a network that say the same are one network.
class Walk {
  public:
    Walk(const MMDB_s& db, const Asked& asked, GeoMap& out) : db_(db), asked_(asked), out_(out) {}

    void run() {
        const bool both = db_.metadata.ip_version == 6;
        // IPv4 lies at ::/96 of a tree of IPv6, and again wherever it is embedded: it is walked once.
        v4_ = both ? db_.ipv4_start_node.node_value : 0;
        at_ = {.family = Family::v4};
        take(node(v4_, 0, Family::v4), 0);
        if (!both) return;
        at_ = {.family = Family::v6};
        take(node(0, 0, Family::v6), 0);
    }

  private:
    using Place = std::optional<std::uint32_t>; // of a network that is alike in all its parts

    Place node(std::uint32_t number, unsigned depth, Family family) {
        if (depth >= (family == Family::v4 ? 32u : 128u)) throw std::runtime_error("its tree is too deep");
        if (++seen_ > 4ull * db_.metadata.node_count + 4) throw std::runtime_error("its tree has a loop");
        MMDB_search_node_s n{};
        if (MMDB_read_node(&db_, number, &n) != MMDB_SUCCESS) throw std::runtime_error("its tree is broken");
        const Place left = record(n.left_record, n.left_record_type, n.left_record_entry, depth, family);
        set_bit(depth, true);
        const Place right = record(n.right_record, n.right_record_type, n.right_record_entry, depth, family);
        set_bit(depth, false);
        if (left && left == right) return left;
        take(left, depth + 1);
        set_bit(depth, true);
        take(right, depth + 1);
        set_bit(depth, false);
        return std::nullopt;
    }

    Place record(std::uint64_t value, std::uint8_t type, MMDB_entry_s entry, unsigned depth, Family family) {
        if (type == MMDB_RECORD_TYPE_SEARCH_NODE) {
            const auto number = static_cast<std::uint32_t>(value);
            if (family == Family::v6 && number == v4_) return 0; // the IPv4 part
            return node(number, depth + 1, family);
        }
        if (type == MMDB_RECORD_TYPE_EMPTY) return 0;
        if (type != MMDB_RECORD_TYPE_DATA) throw std::runtime_error("its tree is broken");
        return place(entry);
    }

    std::uint32_t place(MMDB_entry_s entry) {
        auto [at, fresh] = by_offset_.try_emplace(entry.offset, 0);
        if (!fresh) return at->second;
        const ClientClass known = known_of(entry);
        const auto where = known.coordinates.value_or(Coordinates{999, 999});
        auto [same, first] = by_content_.try_emplace(
            {known.region, known.country, known.continent, known.asn, where.latitude, where.longitude},
            static_cast<std::uint32_t>(out_.places.size()));
        if (first && known == ClientClass{}) same->second = 0;
        else if (first) out_.places.push_back(known);
        return at->second = same->second;
    }

    ClientClass known_of(MMDB_entry_s entry) const {
        ClientClass k;
        const std::string country = text(entry, "country", "iso_code");
        k.country = if_asked(asked_.countries, country);
        k.continent = if_asked(asked_.continents, text(entry, "continent", "code"));
        if (!asked_.regions.empty())
            k.region = if_asked(asked_.regions, country + "-" + text(entry, "subdivisions", "0", "iso_code"));
        if (const auto asn = number(entry, "autonomous_system_number"))
            if (asked_.asns.contains(static_cast<std::uint32_t>(*asn)))
                k.asn = static_cast<std::uint32_t>(*asn);
        const auto latitude = number(entry, "location", "latitude"),
                   longitude = number(entry, "location", "longitude");
        if (asked_.coordinates && latitude && longitude)
            k.coordinates = Coordinates{std::round(*latitude), std::round(*longitude)};
        return k;
    }

    void set_bit(unsigned depth, bool on) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> depth % 8);
        auto& octet = at_.bytes[depth / 8];
        octet = static_cast<std::uint8_t>(on ? octet | mask : octet & ~mask);
    }

    void take(Place place, unsigned length) {
        if (place.value_or(0) == 0) return;
        out_.networks.emplace_back(Prefix{at_, static_cast<std::uint8_t>(length)}, *place);
    }

    const MMDB_s& db_;
    const Asked& asked_;
    GeoMap& out_;
    std::uint32_t v4_ = 0;
    std::uint64_t seen_ = 0;
    IpAddress at_;
    std::unordered_map<std::uint32_t, std::uint32_t> by_offset_; // of a record: its place
    std::map<std::tuple<std::string, std::string, std::string, std::uint32_t, double, double>, std::uint32_t>
        by_content_;
};

} // namespace

GeoMap read_geoip(const std::string& file, const Asked& asked, std::string& error) {
    GeoMap map;
    auto* const opened = new MMDB_s{};
    const int status = MMDB_open(file.c_str(), MMDB_MODE_MMAP, opened);
    if (status != MMDB_SUCCESS) {
        const bool system = status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR;
        error = system && errno ? std::strerror(errno) : MMDB_strerror(status);
        delete opened;
        return map;
    }
    const Database db(opened);
    try {
        Walk(*db, asked, map).run();
    } catch (const std::runtime_error& e) {
        error = e.what();
        return {};
    }
    std::sort(map.networks.begin(), map.networks.end());
    return map;
}

} // namespace fairway::load
