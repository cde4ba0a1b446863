#include "daemon/dns_text.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace fairway::daemon {

namespace {

struct FreePacket {
    void operator()(ldns_pkt* p) const { ldns_pkt_free(p); }
};
struct FreeText {
    void operator()(char* p) const { std::free(p); }
};
using Text = std::unique_ptr<char, FreeText>;

std::string record(const ldns_rr* rr) {
    const Text text(ldns_rr2str(rr)); // null for what has no presentation form
    std::string line = text ? text.get() : "?";
    while (!line.empty() && (line.back() == '\n' || line.back() == '\t')) line.pop_back();
    std::ranges::replace(line, '\t', ' ');
    return line;
}

std::vector<std::string> records(const ldns_rr_list* list) {
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
        lines.push_back(record(ldns_rr_list_rr(list, i)));
    return lines;
}

} // namespace

std::optional<DnsText> dns_text(std::span<const std::uint8_t> message) {
    ldns_pkt* read = nullptr;
    if (ldns_wire2pkt(&read, message.data(), message.size()) != LDNS_STATUS_OK) return std::nullopt;
    const std::unique_ptr<ldns_pkt, FreePacket> packet(read);
    const Text rcode(ldns_pkt_rcode2str(ldns_pkt_get_rcode(read)));
    return DnsText{.rcode = rcode ? rcode.get() : std::to_string(ldns_pkt_get_rcode(read)),
                   .authoritative = ldns_pkt_aa(read),
                   .answer = records(ldns_pkt_answer(read)),
                   .authority = records(ldns_pkt_authority(read)),
                   .additional = records(ldns_pkt_additional(read))};
}

std::optional<std::uint16_t> question_type(std::string_view word) {
    const ldns_rr_type type = ldns_get_rr_type_by_name(std::string(word).c_str());
    return type == 0 ? std::nullopt : std::optional(static_cast<std::uint16_t>(type));
}

} // namespace fairway::daemon
