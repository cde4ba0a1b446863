// Where clients are: networks of them, and what is known of each.
#pragma once

#include "config/address.hpp"
#include "config/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairway {

struct Coordinates {
    double latitude = 0;
    double longitude = 0;
    bool operator==(const Coordinates&) const = default;
};

/// What is known of a set of client networks: how far each datacenter is, by time or by map, and what a
/// policy may ask about them.
struct ClientClass {
    std::vector<std::optional<double>> rtt_ms; ///< per datacenter; empty: nothing measured
    std::optional<Coordinates> coordinates;
    std::string region;               ///< the operator's word, or ISO 3166-2 from a database: "US-CA"
    std::string country, continent;   ///< ISO 3166-1 "DE"; "EU"
    std::uint32_t asn = 0;            ///< autonomous system; 0: unknown
    std::vector<std::uint16_t> lists; ///< those of Clients::lists that hold them, ascending
    bool operator==(const ClientClass&) const = default;
};
using ClientClassIndex = std::uint16_t;

/// Where clients are. Networks that say the same share a class; class 0 is "nothing known". What no policy
/// asks about tells no classes apart.
struct Clients {
    struct Network {
        Prefix prefix;
        ClientClassIndex client_class;
        bool operator==(const Network&) const = default;
    };
    std::vector<Network> networks; ///< sorted by prefix; the longest match wins
    std::vector<ClientClass> classes{ClientClass{}};
    std::vector<std::vector<Prefix>> lists; ///< networks that branches of policies name
};

/// How much is remembered of the round trips that are measured elsewhere and told to us.
struct LearnedSettings {
    std::size_t networks = 4096; ///< remembered at most
    Duration half_life = 1h;     ///< a measurement of this age counts half as much as a new one
    bool operator==(const LearnedSettings&) const = default;
};

} // namespace fairway
