#include "daemon/ctl/dns_client.hpp"

#include "config/name.hpp"

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

namespace fairway::ctl {

namespace {

constexpr std::uint16_t payload = 1232; // what fits in every path, as our own servers say

template<auto end> struct End {
    template<class T> void operator()(T* p) const { end(p); }
};
void end_packet(ldns_pkt* p) { ldns_pkt_free(p); }
void end_name(ldns_rdf* p) { ldns_rdf_deep_free(p); }
void end_resolver(ldns_resolver* p) { ldns_resolver_deep_free(p); }
void end_text(char* p) { std::free(p); }
using Packet = std::unique_ptr<ldns_pkt, End<end_packet>>;
using Rdf = std::unique_ptr<ldns_rdf, End<end_name>>;
using Resolver = std::unique_ptr<ldns_resolver, End<end_resolver>>;
using Text = std::unique_ptr<char, End<end_text>>;

std::string text(char* made) {
    const Text owned(made);
    return owned ? owned.get() : "";
}

DnsRecord record(const ldns_rr* rr) {
    DnsRecord r{.owner = canonical(text(ldns_rdf2str(ldns_rr_owner(rr)))),
                .type = text(ldns_rr_type2str(ldns_rr_get_type(rr))),
                .ttl = ldns_rr_ttl(rr)};
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr); ++i)
        r.data += (i ? " " : "") + text(ldns_rdf2str(ldns_rr_rdf(rr, i)));
    return r;
}

std::vector<DnsRecord> records(const ldns_rr_list* list) {
    std::vector<DnsRecord> all;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
        all.push_back(record(ldns_rr_list_rr(list, i)));
    return all;
}

DnsReply reply(const ldns_pkt* p) {
    return {.rcode = text(ldns_pkt_rcode2str(ldns_pkt_get_rcode(p))),
            .authoritative = ldns_pkt_aa(p),
            .edns = ldns_pkt_edns(p),
            .recursion = ldns_pkt_ra(p),
            .answer = records(ldns_pkt_answer(p)),
            .authority = records(ldns_pkt_authority(p)),
            .additional = records(ldns_pkt_additional(p))};
}

std::optional<DnsReply> send(ldns_resolver* through, const std::string& name, const std::string& type,
                             bool rd) {
    const Rdf owner(ldns_dname_new_frm_str(name.c_str()));
    if (!owner) return std::nullopt;
    const std::uint16_t flags = rd ? LDNS_RD : 0;
    ldns_pkt* got = nullptr;
    const auto status = ldns_resolver_send(&got, through, owner.get(), ldns_get_rr_type_by_name(type.c_str()),
                                           LDNS_RR_CLASS_IN, flags);
    const Packet packet(got);
    return status == LDNS_STATUS_OK && packet ? std::optional(reply(packet.get())) : std::nullopt;
}

} // namespace

std::optional<DnsReply> ask(const std::string& address, std::uint16_t port, const std::string& name,
                            const std::string& type, bool tcp) {
    const Resolver resolver(ldns_resolver_new());
    const auto kind = address.find(':') == address.npos ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA;
    const Rdf server(ldns_rdf_new_frm_str(kind, address.c_str()));
    if (!server || ldns_resolver_push_nameserver(resolver.get(), server.get()) != LDNS_STATUS_OK)
        return std::nullopt;
    ldns_resolver_set_port(resolver.get(), port);
    ldns_resolver_set_usevc(resolver.get(), tcp);
    ldns_resolver_set_recursive(resolver.get(), false);
    ldns_resolver_set_edns_udp_size(resolver.get(), payload);
    ldns_resolver_set_fallback(resolver.get(), false); // what comes without EDNS shall be seen
    ldns_resolver_set_retry(resolver.get(), 2);
    ldns_resolver_set_timeout(resolver.get(), {.tv_sec = 1, .tv_usec = 0});
    return send(resolver.get(), name, type, false);
}

std::vector<std::string> look_up(const std::string& name, const std::string& type) {
    ldns_resolver* made = nullptr;
    if (ldns_resolver_new_frm_file(&made, nullptr) != LDNS_STATUS_OK) return {};
    const Resolver resolver(made);
    ldns_resolver_set_timeout(made, {.tv_sec = 2, .tv_usec = 0});
    std::vector<std::string> found;
    if (const auto r = send(made, name, type, true))
        for (const auto& a : r->answer)
            if (a.type == type) found.push_back(a.data);
    return found;
}

std::string canonical(const std::string& name) {
    if (name == ".") return name;
    const auto parsed = Name::parse(name);
    return parsed ? parsed->to_string() + "." : "";
}

std::string parent_of(const std::string& name) {
    const auto dot = name.find('.');
    return dot == name.npos || dot + 1 >= name.size() ? "." : name.substr(dot + 1);
}

} // namespace fairway::ctl
