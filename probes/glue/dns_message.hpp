// DNS messages of the dns check, by ldns: a question made, a reply read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::probes {

struct DnsQuestion {
    std::string name;
    std::string type; ///< "AAAA"
    std::uint16_t id = 0;
};

/// In wire form, with recursion desired: authoritative servers do not mind. Empty: no such name or type.
std::string dns_query(const DnsQuestion& q);

struct DnsReply {
    unsigned rcode = 0;
    bool truncated = false;
    std::size_t answers = 0; ///< records of the type asked for
    std::string missing;     ///< the first wanted record that is not among them; empty: none
};

/// Nothing: it is no reply to this question. `wanted` is record data as in a zone file, names absolute.
std::optional<DnsReply> read_dns_reply(std::string_view message, const DnsQuestion& q,
                                       const std::vector<std::string>& wanted);

} // namespace fairway::probes
