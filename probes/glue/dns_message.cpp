#include "probes/glue/dns_message.hpp"

#include <ldns/ldns.h>

#include <cstdlib>
#include <memory>

namespace fairway::probes {

namespace {

using Packet = std::unique_ptr<ldns_pkt, decltype([](ldns_pkt* p) { ldns_pkt_free(p); })>;
using Record = std::unique_ptr<ldns_rr, decltype([](ldns_rr* r) { ldns_rr_free(r); })>;
using Text = std::unique_ptr<char, decltype([](char* c) { free(c); })>;

ldns_rr_type type_of(const DnsQuestion& q) { return ldns_get_rr_type_by_name(q.type.c_str()); }

Record wanted_record(const DnsQuestion& q, const std::string& data) {
    ldns_rr* r = nullptr;
    const std::string line = ". 0 IN " + q.type + ' ' + data;
    if (ldns_rr_new_frm_str(&r, line.c_str(), 0, nullptr, nullptr) != LDNS_STATUS_OK) return nullptr;
    ldns_rr2canonical(r); // names in lower case
    return Record(r);
}

bool same_data(const ldns_rr* a, const ldns_rr* b) {
    if (ldns_rr_rd_count(a) != ldns_rr_rd_count(b)) return false;
    for (std::size_t i = 0; i < ldns_rr_rd_count(a); ++i)
        if (ldns_rdf_compare(ldns_rr_rdf(a, i), ldns_rr_rdf(b, i)) != 0) return false;
    return true;
}

bool asks(const ldns_pkt* p, const DnsQuestion& q) {
    const ldns_rr_list* questions = ldns_pkt_question(p);
    if (ldns_rr_list_rr_count(questions) != 1) return false;
    const ldns_rr* asked = ldns_rr_list_rr(questions, 0);
    ldns_rdf* name = ldns_dname_new_frm_str(q.name.c_str());
    const bool same =
        name && ldns_rr_get_type(asked) == type_of(q) && ldns_dname_compare(ldns_rr_owner(asked), name) == 0;
    ldns_rdf_deep_free(name);
    return same;
}

} // namespace

std::string dns_query(const DnsQuestion& q) {
    ldns_rdf* name = ldns_dname_new_frm_str(q.name.c_str());
    if (!name) return {};
    const Packet p(ldns_pkt_query_new(name, type_of(q), LDNS_RR_CLASS_IN, LDNS_RD)); // takes the name over
    if (!p) return {};
    ldns_pkt_set_id(p.get(), q.id);
    std::uint8_t* wire = nullptr;
    std::size_t size = 0;
    if (ldns_pkt2wire(&wire, p.get(), &size) != LDNS_STATUS_OK) return {};
    std::string out(reinterpret_cast<const char*>(wire), size);
    free(wire);
    return out;
}

std::optional<DnsReply> read_dns_reply(std::string_view message, const DnsQuestion& q,
                                       const std::vector<std::string>& wanted) {
    ldns_pkt* read = nullptr;
    if (ldns_wire2pkt(&read, reinterpret_cast<const std::uint8_t*>(message.data()), message.size()) !=
        LDNS_STATUS_OK)
        return std::nullopt;
    const Packet p(read);
    if (!ldns_pkt_qr(p.get()) || ldns_pkt_id(p.get()) != q.id || !asks(p.get(), q)) return std::nullopt;

    DnsReply reply;
    reply.rcode = ldns_pkt_get_rcode(p.get());
    reply.truncated = ldns_pkt_tc(p.get());
    const ldns_rr_list* answers = ldns_pkt_answer(p.get());
    std::vector<bool> found(wanted.size());
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(answers); ++i) {
        ldns_rr* r = ldns_rr_list_rr(answers, i);
        if (ldns_rr_get_type(r) != type_of(q)) continue; // the CNAMEs on the way to it
        ++reply.answers;
        ldns_rr2canonical(r);
        for (std::size_t w = 0; w < wanted.size(); ++w) {
            const Record record = wanted_record(q, wanted[w]);
            if (record && same_data(record.get(), r)) found[w] = true;
        }
    }
    for (std::size_t w = 0; w < wanted.size() && reply.missing.empty(); ++w)
        if (!found[w]) reply.missing = wanted[w];
    return reply;
}

} // namespace fairway::probes
