// MaxMind DB files: what they know of client networks, as far as anybody asks.
#pragma once

#include "config/clients.hpp"

#include <set>

namespace fairway::load {

/// What policies ask about: nothing else is taken from a database, so that few classes are told apart.
struct Asked {
    std::set<std::string, std::less<>> regions, countries, continents;
    std::set<std::uint32_t> asns;
    bool coordinates = false;
    bool nothing() const {
        return regions.empty() && countries.empty() && continents.empty() && asns.empty() && !coordinates;
    }
};

/// Networks that do not overlap, sorted, each with what is known of it.
struct GeoMap {
    std::vector<std::pair<Prefix, std::uint32_t>> networks; ///< and an index into `places`
    std::vector<ClientClass> places{ClientClass{}};         ///< 0 is "nothing known", and is in no network
};

/// Reads a whole file with the fields of GeoLite2, GeoIP2 or DB-IP (country, continent, subdivisions,
/// location, autonomous_system_number). Coordinates are rounded to whole degrees: 110 km are 2 ms. `error` is
/// set if it cannot be read.
GeoMap read_geoip(const std::string& file, const Asked& asked, std::string& error);

} // namespace fairway::load
