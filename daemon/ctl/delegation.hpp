// What a parent zone says of a zone and what the zone's name servers say themselves, and what is wrong
// between them.
//
// Pure: asking is check_delegation.cpp's. RFC 1034 section 4.2.2, RFC 1912 section 2.8, RFC 9471.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fairway::ctl {

using Addresses = std::set<std::string>;

/// What the parent answers.
struct Delegation {
    std::string zone;                      ///< lower case, with the final dot, as all names here
    std::set<std::string> servers;         ///< NS
    std::uint32_t ttl = 0;                 ///< of NS
    std::map<std::string, Addresses> glue; ///< by name of the server
    bool signs = false;                    ///< it has a DS record
};

/// What one address of a name server answers.
struct ServerView {
    std::string server, address;
    bool udp = false, tcp = false; ///< it answered at all
    std::string rcode;             ///< of its SOA over UDP
    bool authoritative = false, edns = false, recursive = false;
    std::optional<std::uint32_t> serial;
    std::set<std::string> servers; ///< NS, in its own words
    std::uint32_t ttl = 0;
    std::map<std::string, Addresses> own; ///< what it says are the addresses of servers within the zone
};

struct Fault {
    bool bad = true;   ///< false: it works, and wants to be looked at
    std::string where; ///< "the parent", "ns1.example.com. 192.0.2.53"
    std::string what;  ///< one sentence with what to do
};

/// Nothing: the delegation is in order.
std::vector<Fault> faults(const Delegation& parent, const std::vector<ServerView>& views);

} // namespace fairway::ctl
