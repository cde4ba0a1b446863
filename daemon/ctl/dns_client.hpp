// Asking name servers, as a resolver does: without recursion, with EDNS. ldns stands behind it in one source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fairway::ctl {

struct DnsRecord {
    std::string owner, type, data; ///< names in lower case with the final dot; data as in a zone file
    std::uint32_t ttl = 0;
};

struct DnsReply {
    std::string rcode;
    bool authoritative = false, edns = false, recursion = false;
    std::vector<DnsRecord> answer, authority, additional;
};

/// One question over UDP or TCP; nullopt: no answer within 2 s, asked twice. Blocks.
std::optional<DnsReply> ask(const std::string& address, std::uint16_t port, const std::string& name,
                            const std::string& type, bool tcp = false);

/// What this machine's resolvers say of a name: addresses of a server, or the NS of a zone. Blocks.
std::vector<std::string> look_up(const std::string& name, const std::string& type);

/// Lower case, with the final dot; empty if it is no domain name.
std::string canonical(const std::string& name);
std::string parent_of(const std::string& name); ///< "example.com." of "gtm.example.com."; "." of "com."

} // namespace fairway::ctl
