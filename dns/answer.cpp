#include "dns/answer.hpp"

#include "config/record.hpp"
#include "dns/rdata.hpp"
#include "dns/resolution.hpp"

#include <algorithm>

namespace fairway::dns {
namespace {

constexpr std::size_t max_text = 255; // of a character-string, RFC 1035 section 3.3

std::size_t size_limit(const Query& query, const Client& client, std::size_t room) noexcept {
    if (client.transport == Client::Transport::tcp) return std::min(room, max_message);
    const std::size_t wanted =
        query.edns.present ? std::max<std::size_t>(query.edns.payload, plain_udp) : plain_udp;
    return std::min({wanted, max_udp, room});
}

struct Header {
    std::uint16_t flags = 0; // besides QR and what is copied from the query
    Rcode rcode = Rcode::noerror;
    std::array<std::uint16_t, 3> counts{};
};

void write_header(const Query& query, Bytes message, std::uint8_t* out, const Header& h) noexcept {
    const std::uint16_t copied = query.flags & (flag::opcode | flag::rd);
    std::memmove(out, message.data(), 2);
    put16(out + 2,
          static_cast<std::size_t>(flag::qr | copied | h.flags | (static_cast<unsigned>(h.rcode) & 15)));
    put16(out + 4, query.question_end > header_size);
    put16(out + 6, h.counts[0]);
    put16(out + 8, h.counts[1]);
    put16(out + 10, h.counts[2] + query.edns.present);
}

// What the steps of one answer have in common.
struct Writing {
    const Query& query;
    Bytes message;
    std::span<std::uint8_t> out;
    const MoreOptions* more = nullptr;
    CookieState cookie = CookieState::none;
    bool subnet = query.edns.subnet; // is told back

    std::size_t opt_size() const noexcept {
        if (!query.edns.present) return 0;
        return dns::opt_size(query.options, subnet) + (more ? more->size() : 0);
    }

    [[gnu::always_inline]] Reply finish(const Header& h, std::size_t end, unsigned scope = 0) const noexcept {
        write_header(query, message, out.data(), h);
        if (query.edns.present) {
            std::uint8_t* const opt = out.data() + end;
            std::size_t size = write_opt(out.subspan(end), query.edns, query.options, subnet, h.rcode, scope);
            if (more) size = more->append(opt, size);
            end += size;
        }
        return {end, h.rcode, (h.flags & flag::tc) != 0, cookie};
    }
    Reply refuse(Rcode rcode) const noexcept { return finish({0, rcode, {}}, query.question_end); }
};

// What most answers are: one set as it lies in the snapshot, or one SOA that says there is none.
struct Plain {
    const std::uint8_t* wire = nullptr; // null: it takes more than that
    std::size_t size = 0;
    std::uint16_t count = 0;
    Rcode rcode = Rcode::noerror;
    const ZoneInfo* negative = nullptr; // the set is this zone's SOA
    unsigned scope = 0;
};

Plain negative(const NameTable& names, const Node& node, Rcode rcode, unsigned scope = 0) noexcept {
    const ZoneInfo& zone = names.zone(node.zone);
    const RrsetHeader* const soa = zone.negative_soa;
    return soa ? Plain{soa->wire(), soa->size, 1, rcode, &zone, scope} : Plain{};
}

// Nothing there: where no wildcard, cut or DNAME is right above, it is not.
Plain plain_miss(const FoldedName& name, const NameTable& names) noexcept {
    std::size_t offset = 0;
    for (unsigned n = 0; n < 4 && name.bytes[offset]; ++n) { // longer ones take the longer way
        offset += name.bytes[offset] + 1u;
        const std::uint8_t* const tail = name.bytes + offset;
        const std::size_t length = name.length - offset;
        const Node* const encloser = names.find(tail, length, hash_padded(tail, length));
        if (!encloser) continue;
        if (encloser->is(Node::occluded | Node::cut | Node::dname | Node::has_wildcard)) return {};
        return negative(names, *encloser, Rcode::nxdomain);
    }
    return {};
}

[[gnu::always_inline]] inline Plain plain_set(const Query& query, const NameTable& names,
                                              const Node& node) noexcept {
    const RrsetHeader* const set = node.find(query.type);
    if (!set) return node.is(Node::cname) ? Plain{} : negative(names, node, Rcode::noerror);
    if (names_host(query.type)) return {}; // its addresses go with it
    return {set->wire(), set->size, set->count, Rcode::noerror, nullptr, 0};
}

[[gnu::always_inline]] inline Plain plain_service(const Query& query, const Snapshot& snapshot,
                                                  const Node& node, const Client& client,
                                                  Random& random) noexcept {
    const ServiceAnswers& answers = *snapshot.services[node.service_index];
    if (answers.has_names() || !answers.has_choices()) return {};
    const Choosing chosen = choose(answers, query, snapshot, client, random);
    const auto& set = answers.set(chosen.choice, query.type == rrtype::aaaa);
    if (set.count == 0) return negative(snapshot.fixed->names, node, Rcode::noerror, chosen.scope);
    return {answers.wire(set), set.size, set.count, Rcode::noerror, nullptr, chosen.scope};
}

[[gnu::always_inline]] inline Plain plain_answer(const Query& query, const Snapshot& snapshot,
                                                 const Client& client, Random& random) noexcept {
    const NameTable& names = snapshot.fixed->names;
    const Node* const node = query.sought ? names.find(query.name, query.likely) : names.find(query.name);
    if (!node) return plain_miss(query.name, names);
    if (node->is(Node::cut | Node::occluded | Node::apart)) return {};
    if (node->is(Node::service)) {
        if (query.type == rrtype::a || query.type == rrtype::aaaa)
            return plain_service(query, snapshot, *node, client, random);
        if (snapshot.services[node->service_index]->has_names()) return {};
    }
    // DS is another zone's, and ANY is any of them.
    if (query.type == rrtype::ds || query.type == rrtype::any) return {};
    return plain_set(query, names, *node);
}

// A stored SOA takes its owner to be at offset 12, where now more of the question's name stands before it.
void move_pointers(std::uint8_t* soa, const ZoneInfo& zone, std::size_t by) noexcept {
    put16(soa, get16(soa) + by);
    for (const std::size_t at : {zone.soa_pointers[1], zone.soa_pointers[2]})
        if (at) put16(soa + at, get16(soa + at) + by);
}

[[gnu::always_inline]] inline Reply write_plain(const Writing& w, const Plain& plain) noexcept {
    const std::size_t start = w.query.question_end, end = start + plain.size;
    std::uint8_t* const to = w.out.data() + start;
    if (plain.size <= 64 && end + copy_slack <= w.out.size()) copy_wide(to, plain.wire, plain.size);
    else std::memcpy(to, plain.wire, plain.size);
    if (!plain.negative) return w.finish({flag::aa, plain.rcode, {plain.count, 0, 0}}, end, plain.scope);
    move_pointers(to, *plain.negative, w.query.name.length - plain.negative->apex_length);
    return w.finish({flag::aa, plain.rcode, {0, 1, 0}}, end, plain.scope);
}

Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }

MoreOptions more_options(const Query& query, const DnsSettings& settings, const Client& client,
                         const CookieCheck& cookie) noexcept {
    MoreOptions more;
    if (query.edns.nsid) more.nsid = bytes_of(settings.nsid);
    if (cookie.state != CookieState::none) more.cookie = cookie.reply;
    if (query.edns.keepalive && client.transport == Client::Transport::tcp) more.keepalive = client.keepalive;
    return more;
}

bool is(const FoldedName& name, std::string_view wire) noexcept {
    return name.length == wire.size() && std::memcmp(name.bytes, wire.data(), wire.size()) == 0;
}

// RFC 4892, and the names that BIND gave to the same.
const std::string* chaos_text(const ChaosSettings& chaos, const FoldedName& name) noexcept {
    using namespace std::string_view_literals;
    if (is(name, "\7version\4bind\0"sv) || is(name, "\7version\6server\0"sv)) return &chaos.version;
    if (is(name, "\2id\6server\0"sv) || is(name, "\10hostname\4bind\0"sv)) return &chaos.identity;
    return nullptr;
}

Reply answer_chaos(const Writing& w, const ChaosSettings& chaos) noexcept {
    const std::string* const text = chaos_text(chaos, w.query.name);
    if (!text || text->empty()) return w.refuse(Rcode::refused);
    const std::size_t at = w.query.question_end, length = std::min(text->size(), max_text);
    if (w.query.type != rrtype::txt && w.query.type != rrtype::any)
        return w.finish({flag::aa, Rcode::noerror, {}}, at);
    std::uint8_t* const record = w.out.data() + at;
    put16(record, pointer_mark | header_size);
    put16(record + 2, rrtype::txt);
    put16(record + 4, class_chaos);
    put32(record + 6, 0); // never cached: it is asked when something is to be found out
    put16(record + 10, length + 1);
    record[12] = static_cast<std::uint8_t>(length);
    std::memcpy(record + 13, text->data(), length);
    return w.finish({flag::aa, Rcode::noerror, {1, 0, 0}}, at + 13 + length);
}

// Queries that ask nothing of the names.
Reply answer_other(Writing& w, const DnsSettings& settings) noexcept {
    if (w.query.asks == Query::Asks::server) return answer_chaos(w, settings.chaos);
    if (w.query.asks == Query::Asks::cookie && w.cookie != CookieState::none) // RFC 7873 section 5.4
        return w.refuse(w.cookie == CookieState::bad ? Rcode::badcookie : Rcode::noerror);
    // RFC 7871 section 7.2.1: an error in form does not carry the network back.
    if (w.query.rcode != Rcode::refused) w.subnet = false;
    return w.refuse(w.query.rcode);
}

bool may_demand_cookie(const Client& client, CookieState state) noexcept {
    return client.transport == Client::Transport::udp &&
           (state == CookieState::client || state == CookieState::bad);
}

// Whatever is not plain: step by step.
[[gnu::noinline]] Reply answer_at_length(const Writing& w, const Snapshot& snapshot, const Client& client,
                                         Random& random, std::size_t limit) noexcept {
    Message response(w.out.data(), w.query.question_end, limit);
    Resolution resolution(w.query, snapshot, client, random, response);
    resolution.run();
    Header h{0, resolution.rcode, response.counts()};
    if (resolution.authoritative) h.flags |= flag::aa;
    if (resolution.truncated) {
        // Over TCP there is nothing larger to ask for.
        if (client.transport == Client::Transport::tcp) h = {0, Rcode::servfail, {}};
        else h.flags |= flag::tc;
    }
    return w.finish(h, response.size(), resolution.scope);
}

// With whatever options, errors and detours there are.
[[gnu::noinline]] Reply answer_in_full(const Query& query, Bytes message, const Snapshot& snapshot,
                                       const Client& client, Random& random,
                                       std::span<std::uint8_t> out) noexcept {
    const DnsSettings& settings = snapshot.fixed->settings;
    CookieCheck cookie;
    if (query.edns.cookie)
        cookie = check_cookie(settings.cookies, query.options.cookie, client.address, client.now);
    const MoreOptions more = more_options(query, settings, client, cookie);
    Writing w{query, message, out, &more, cookie.state};
    if (query.rcode != Rcode::noerror) return answer_other(w, settings);
    if (settings.cookies.required && may_demand_cookie(client, w.cookie)) return w.refuse(Rcode::badcookie);
    const std::size_t limit = size_limit(query, client, out.size()) - w.opt_size();
    Random drawn = random; // what comes to nothing here must not be drawn twice below
    if (const Plain plain = plain_answer(query, snapshot, client, drawn);
        plain.wire && query.question_end + plain.size <= limit) {
        random = drawn;
        return write_plain(w, plain);
    }
    return answer_at_length(w, snapshot, client, random, limit);
}

} // namespace

// Most queries ask a name for its addresses, and for nothing besides.
Reply answer(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
             Random& random, std::span<std::uint8_t> out) noexcept {
    if (out.data() != message.data()) std::memcpy(out.data(), message.data(), query.question_end);
    if (query.rcode == Rcode::noerror && !query.edns.more()) {
        const Writing w{query, message, out};
        const std::size_t limit = size_limit(query, client, out.size()) - w.opt_size();
        Random drawn = random;
        const Plain plain = plain_answer(query, snapshot, client, drawn);
        if (plain.wire && query.question_end + plain.size <= limit) {
            random = drawn;
            return write_plain(w, plain);
        }
    }
    return answer_in_full(query, message, snapshot, client, random, out);
}

Reply slip(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
           std::span<std::uint8_t> out) noexcept {
    const DnsSettings& settings = snapshot.fixed->settings;
    if (out.data() != message.data()) std::memcpy(out.data(), message.data(), query.question_end);
    CookieCheck cookie;
    if (query.edns.cookie)
        cookie = check_cookie(settings.cookies, query.options.cookie, client.address, client.now);
    const MoreOptions more = more_options(query, settings, client, cookie);
    const Writing w{query, message, out, &more, cookie.state};
    if (may_demand_cookie(client, cookie.state)) return w.refuse(Rcode::badcookie);
    return w.finish({flag::tc, Rcode::noerror, {}}, query.question_end);
}

std::size_t answer(Bytes message, const Snapshot& snapshot, const Client& client, Random& random,
                   std::span<std::uint8_t> out) noexcept {
    Query query;
    if (!read_query(message, query)) return 0;
    return answer(query, message, snapshot, client, random, out).size;
}

} // namespace fairway::dns
