// Writes a MaxMind DB file (https://maxmind.github.io/MaxMind-DB/), for tests that need one: no package of
// Debian's does.
#pragma once

#include "config/address.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

namespace fairway::test {

/// A value of a record, as far as geography needs them.
struct MmdbValue;
using MmdbMap = std::map<std::string, MmdbValue>;
struct MmdbValue {
    std::variant<std::string, double, std::uint16_t, std::uint32_t, std::uint64_t, MmdbMap,
                 std::vector<MmdbValue>>
        is;
};

class MmdbWriter {
  public:
    /// Networks must not overlap. IPv4 ones lie at ::/96.
    void add(const std::string& prefix, const MmdbMap& record) {
        const Prefix p = Prefix::parse(prefix).value();
        const bool v4 = p.address.family == Family::v4;
        const auto bit = [&](unsigned i) {
            if (v4 && i < 96) return 0;
            const unsigned at = v4 ? i - 96 : i;
            return p.address.bytes[at / 8] >> (7 - at % 8) & 1;
        };
        const unsigned length = p.length + (v4 ? 96u : 0u);
        std::size_t node = 0;
        for (unsigned i = 0; i + 1 < length; ++i) {
            auto& next = nodes_[node][static_cast<std::size_t>(bit(i))];
            if (next < 0) throw std::logic_error("networks overlap");
            if (next == 0) {
                next = static_cast<std::int64_t>(nodes_.size());
                node = nodes_.size();
                nodes_.push_back({0, 0});
            } else node = static_cast<std::size_t>(next);
        }
        nodes_[node][static_cast<std::size_t>(bit(length - 1))] =
            -1 - static_cast<std::int64_t>(data_.size());
        data_ += encoded({record});
    }

    void write(const std::string& file) const {
        std::ofstream out(file, std::ios::binary);
        for (const auto& node : nodes_)
            for (const std::int64_t record : node) out << number(value_of(record), 4);
        out << std::string(16, '\0') << data_ << "\xab\xcd\xefMaxMind.com"
            << encoded({MmdbMap{{"binary_format_major_version", {std::uint16_t{2}}},
                                {"binary_format_minor_version", {std::uint16_t{0}}},
                                {"build_epoch", {std::uint64_t{1}}},
                                {"database_type", {std::string("Test-City")}},
                                {"description", {MmdbMap{}}},
                                {"ip_version", {std::uint16_t{6}}},
                                {"languages", {std::vector<MmdbValue>{}}},
                                {"node_count", {static_cast<std::uint32_t>(nodes_.size())}},
                                {"record_size", {std::uint16_t{32}}}}});
    }

  private:
    std::uint64_t value_of(std::int64_t record) const {
        if (record > 0) return static_cast<std::uint64_t>(record);
        if (record == 0) return nodes_.size(); // nothing there
        return nodes_.size() + 16 + static_cast<std::uint64_t>(-1 - record);
    }

    static std::string number(std::uint64_t n, unsigned octets) {
        std::string out;
        while (octets-- > 0) out += static_cast<char>(n >> 8 * octets);
        return out;
    }

    static std::string control(unsigned type, std::size_t size) {
        std::string out(1, static_cast<char>((type < 8 ? type << 5 : 0) | (size < 29 ? size : 29)));
        if (type >= 8) out += static_cast<char>(type - 7);
        if (size >= 29) out += static_cast<char>(size - 29);
        return out;
    }

    static std::string encoded(const MmdbValue& v) {
        if (auto* text = std::get_if<std::string>(&v.is)) return control(2, text->size()) + *text;
        if (auto* d = std::get_if<double>(&v.is))
            return control(3, 8) + number(std::bit_cast<std::uint64_t>(*d), 8);
        if (auto* n = std::get_if<std::uint16_t>(&v.is)) return control(5, 2) + number(*n, 2);
        if (auto* n = std::get_if<std::uint32_t>(&v.is)) return control(6, 4) + number(*n, 4);
        if (auto* n = std::get_if<std::uint64_t>(&v.is)) return control(9, 8) + number(*n, 8);
        std::string out;
        if (auto* list = std::get_if<std::vector<MmdbValue>>(&v.is)) {
            out = control(11, list->size());
            for (const auto& item : *list) out += encoded(item);
            return out;
        }
        const auto& map = std::get<MmdbMap>(v.is);
        out = control(7, map.size());
        for (const auto& [key, value] : map) out += encoded({key}) + encoded(value);
        return out;
    }

    std::vector<std::array<std::int64_t, 2>> nodes_{{0, 0}}; // 0: nothing; above: a node; below: -1 - offset
    std::string data_;
};

/// What a city database says of a network.
inline MmdbMap city(const std::string& country, const std::string& continent,
                    const std::string& subdivision = "", double latitude = 0, double longitude = 0) {
    MmdbMap out{{"country", {MmdbMap{{"iso_code", {country}}}}},
                {"continent", {MmdbMap{{"code", {continent}}}}}};
    if (!subdivision.empty())
        out["subdivisions"] = {std::vector<MmdbValue>{{MmdbMap{{"iso_code", {subdivision}}}}}};
    if (latitude != 0 || longitude != 0)
        out["location"] = {MmdbMap{{"latitude", {latitude}}, {"longitude", {longitude}}}};
    return out;
}

} // namespace fairway::test
