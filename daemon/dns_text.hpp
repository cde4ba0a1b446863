// A DNS message as people read it. ldns stands behind it in one source.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

struct DnsText {
    std::string rcode;                                      ///< "NOERROR"
    bool authoritative = false;                             ///< AA
    std::vector<std::string> answer, authority, additional; ///< a record each, as in a zone file; without OPT
};

/// nullopt: not a whole message.
std::optional<DnsText> dns_text(std::span<const std::uint8_t> message);

/// "AAAA", "https", "TYPE65400"; nullopt: there is no such type.
std::optional<std::uint16_t> question_type(std::string_view word);

} // namespace fairway::daemon
