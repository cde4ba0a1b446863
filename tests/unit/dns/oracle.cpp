#include "tests/unit/dns/oracle.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace fairway::dns::testing {
namespace {

template<auto free> struct Free {
    template<typename T> void operator()(T* p) const { free(p); }
};
void free_rr(ldns_rr* p) { ldns_rr_free(p); }
void free_pkt(ldns_pkt* p) { ldns_pkt_free(p); }
void free_name(ldns_rdf* p) { ldns_rdf_deep_free(p); }
void free_text(char* p) { ::free(p); }
using Rr = std::unique_ptr<ldns_rr, Free<free_rr>>;
using Pkt = std::unique_ptr<ldns_pkt, Free<free_pkt>>;
using Rdf = std::unique_ptr<ldns_rdf, Free<free_name>>;
using Text = std::unique_ptr<char, Free<free_text>>;

std::string text_of(ldns_rr* rr) {
    const Text text(ldns_rr2str(rr)); // null for what has no presentation form
    std::string s = text ? text.get() : "?";
    while (!s.empty() && (s.back() == '\n' || s.back() == '\t')) s.pop_back();
    std::replace(s.begin(), s.end(), '\t', ' ');
    if (const auto in = s.find(" IN "); in != std::string::npos) s.erase(in, 3);
    return s;
}

std::vector<std::string> section(const ldns_rr_list* list) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < ldns_rr_list_rr_count(list); ++i)
        out.push_back(text_of(ldns_rr_list_rr(list, i)));
    std::sort(out.begin(), out.end());
    return out;
}

Rdf name_rdf(const std::string& name) {
    ldns_rdf* rdf = nullptr;
    if (ldns_str2rdf_dname(&rdf, name.c_str()) != LDNS_STATUS_OK) throw std::invalid_argument("name " + name);
    return Rdf(rdf);
}

} // namespace

std::optional<Decoded> decode(Bytes message) {
    ldns_pkt* raw = nullptr;
    if (ldns_wire2pkt(&raw, message.data(), message.size()) != LDNS_STATUS_OK) return {};
    const Pkt pkt(raw);
    Decoded d;
    const Text rcode(ldns_pkt_rcode2str(ldns_pkt_get_rcode(raw)));
    d.rcode = rcode ? rcode.get() : std::to_string(ldns_pkt_get_rcode(raw));
    const auto note = [&](bool set, const char* name) {
        if (set) d.flags += (d.flags.empty() ? "" : " ") + std::string(name);
    };
    note(ldns_pkt_qr(raw), "qr");
    note(ldns_pkt_aa(raw), "aa");
    note(ldns_pkt_tc(raw), "tc");
    note(ldns_pkt_rd(raw), "rd");
    note(ldns_pkt_cd(raw), "cd");
    for (const auto& q : section(ldns_pkt_question(raw))) d.question += q;
    d.answer = section(ldns_pkt_answer(raw));
    d.authority = section(ldns_pkt_authority(raw));
    d.additional = section(ldns_pkt_additional(raw));
    d.edns = ldns_pkt_edns(raw);
    d.udp_size = ldns_pkt_edns_udp_size(raw);
    return d;
}

std::string Decoded::text() const {
    std::string s = rcode + " [" + flags + "]";
    const auto add = [&](const char* title, const std::vector<std::string>& lines) {
        for (const auto& l : lines) s += std::string("\n") + title + " " + l;
    };
    add("an", answer);
    add("ns", authority);
    add("ar", additional);
    return s;
}

Zone zone_of(const std::string& name, const std::vector<std::string>& lines) {
    Zone zone{*Name::parse(name), {}};
    const Rdf origin = name_rdf(name + ".");
    for (const auto& line : lines) {
        ldns_rr* raw = nullptr;
        if (ldns_rr_new_frm_str(&raw, line.c_str(), 300, origin.get(), nullptr) != LDNS_STATUS_OK)
            throw std::invalid_argument("record " + line);
        const Rr rr(raw);
        std::uint8_t* wire = nullptr;
        std::size_t size = 0;
        ldns_dname2canonical(ldns_rr_owner(raw));
        ldns_rr2wire(&wire, raw, LDNS_SECTION_ANSWER, &size);
        const std::unique_ptr<std::uint8_t, decltype(&::free)> owner(wire, ::free);
        const std::size_t at = name_length({wire, size});
        zone.records.append(*Name::from_wire({wire, at}), get16(wire + at), get32(wire + at + 4),
                            {wire + at + 10, get16(wire + at + 8)});
    }
    return zone;
}

Packet make_query(const std::string& name, std::uint16_t type, std::uint16_t id) {
    const Rdf rdf = name_rdf(name);
    Packet q(header_size);
    put16(&q[0], id);
    put16(&q[4], 1);
    q.insert(q.end(), ldns_rdf_data(rdf.get()), ldns_rdf_data(rdf.get()) + ldns_rdf_size(rdf.get()));
    q.resize(q.size() + 4);
    put16(&q[q.size() - 4], type);
    put16(&q[q.size() - 2], class_in);
    return q;
}

Packet with_opt(Packet q, const Opt& opt) {
    const std::size_t at = q.size();
    q.resize(at + 11);
    put16(&q[at + 1], rrtype::opt);
    put16(&q[at + 3], opt.payload);
    q[at + 6] = opt.version;
    put16(&q[at + 7], opt.flags);
    put16(&q[at + 9], opt.options.size());
    q.insert(q.end(), opt.options.begin(), opt.options.end());
    put16(&q[10], get16(&q[10]) + 1u);
    return q;
}

Packet option(std::uint16_t code, const Packet& body) {
    Packet out(4 + body.size());
    put16(out.data(), code);
    put16(out.data() + 2, body.size());
    std::ranges::copy(body, out.begin() + 4);
    return out;
}

Packet subnet(const std::string& text) {
    const Prefix p = *Prefix::parse(text);
    Packet body(4 + (p.length + 7u) / 8);
    body[1] = p.address.family == Family::v4 ? 1 : 2;
    body[2] = p.length;
    std::copy_n(p.address.bytes.begin(), body.size() - 4, body.begin() + 4);
    return option(8, body);
}

Packet ask(const Snapshot& snapshot, const Packet& query, Client client, std::uint64_t seed) {
    Random random(seed);
    Packet out(client.transport == Client::Transport::udp ? max_udp : max_message);
    out.resize(answer(query, snapshot, client, random, out));
    return out;
}

std::uint16_t type_number(const std::string& type) {
    return static_cast<std::uint16_t>(ldns_get_rr_type_by_name(type.c_str()));
}

} // namespace fairway::dns::testing
