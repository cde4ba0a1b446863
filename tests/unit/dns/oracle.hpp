// Test helper: what ldns makes of a message, as text; and zones written as a few lines of text.
#pragma once

#include "config/record.hpp"
#include "dns/answer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::dns::testing {

/// A message as ldns reads it. Sections are sorted lines "name ttl type rdata".
struct Decoded {
    std::string rcode;
    std::string flags; ///< of "qr aa tc rd cd", those set
    std::string question;
    std::vector<std::string> answer, authority, additional; ///< without OPT
    bool edns = false;
    unsigned udp_size = 0;
    std::string text() const; ///< all of it in a form to compare
};
std::optional<Decoded> decode(Bytes message);

/// Each line a record as in a zone file, names relative to the zone.
Zone zone_of(const std::string& name, const std::vector<std::string>& lines);

using Packet = std::vector<std::uint8_t>;

/// A query; `name` is in presentation form with its case kept.
Packet make_query(const std::string& name, std::uint16_t type, std::uint16_t id = 0x1234);

/// Appends an OPT record and counts it.
struct Opt {
    std::uint16_t payload = 1232;
    std::uint8_t version = 0;
    std::uint16_t flags = 0;
    Packet options{};
};
Packet with_opt(Packet query, const Opt& opt);
Packet option(std::uint16_t code, const Packet& body);
Packet subnet(const std::string& prefix); ///< client subnet option of "10.1.2.0/24"

/// answer() with buffers of its own; empty: silence.
Packet ask(const Snapshot& snapshot, const Packet& query, Client client = {}, std::uint64_t seed = 1);

std::uint16_t type_number(const std::string& type);

} // namespace fairway::dns::testing
