#include "dns/answer.hpp"

#include "config/record.hpp"
#include "dns/resolution.hpp"

#include <algorithm>

namespace fairway::dns {
namespace {

std::size_t size_limit(const Query& query, const Client& client, std::size_t room) noexcept {
    if (client.transport == Client::Transport::tcp) return std::min(room, max_message);
    const std::size_t wanted =
        query.edns.present ? std::max<std::size_t>(query.edns.payload, plain_udp) : plain_udp;
    return std::min({wanted, max_udp, room});
}

// RFC 7871 section 7.2.1: an answer that has been made carries the option back, an error in form does not.
Edns edns_of_answer(const Query& query, Rcode rcode) noexcept {
    Edns edns = query.edns;
    if (rcode == Rcode::formerr || rcode == Rcode::notimp || rcode == Rcode::badvers)
        edns.subnet.present = false;
    return edns;
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

Reply finish(const Query& query, Bytes message, std::uint8_t* out, const Header& h, std::size_t end,
             Bytes nsid, unsigned scope) noexcept {
    write_header(query, message, out, h);
    if (query.edns.present)
        end = static_cast<std::size_t>(
            write_opt(out + end, edns_of_answer(query, h.rcode), nsid, h.rcode, scope) - out);
    return {end, h.rcode, (h.flags & flag::tc) != 0};
}

// The common case alone: the name is there and is nothing but itself, and so are the records.
const RrsetHeader* plain_hit(const Query& query, const NameTable& names) noexcept {
    const Node* const node = names.find(query.name);
    if (!node || node->is(Node::beyond_plain) || query.type == rrtype::ds) return nullptr;
    return node->find(query.type);
}

Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }

} // namespace

Reply answer(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
             Random& random, std::span<std::uint8_t> out) noexcept {
    const Bytes nsid = bytes_of(snapshot.fixed->settings.nsid);
    if (out.data() != message.data()) std::memcpy(out.data(), message.data(), query.question_end);
    if (query.rcode != Rcode::noerror)
        return finish(query, message, out.data(), {0, query.rcode, {}}, query.question_end, nsid, 0);

    const std::size_t limit = size_limit(query, client, out.size()) - opt_size(query.edns, nsid);
    if (const auto* set = plain_hit(query, snapshot.fixed->names)) {
        const std::size_t end = query.question_end + std::size_t{set->size};
        if (end <= limit) {
            std::memcpy(out.data() + query.question_end, set->wire(), set->size);
            return finish(query, message, out.data(), {flag::aa, Rcode::noerror, {set->count, 0, 0}}, end,
                          nsid, 0);
        }
    }
    Message response(out.data(), query.question_end, limit);
    Resolution resolution(query, snapshot, client, random, response);
    resolution.run();
    Header h{0, resolution.rcode, response.counts()};
    if (resolution.authoritative) h.flags |= flag::aa;
    if (resolution.truncated) {
        // Over TCP there is nothing larger to ask for.
        if (client.transport == Client::Transport::tcp) h = {0, Rcode::servfail, {}};
        else h.flags |= flag::tc;
    }
    return finish(query, message, out.data(), h, response.size(), nsid, resolution.scope);
}

std::size_t answer(Bytes message, const Snapshot& snapshot, const Client& client, Random& random,
                   std::span<std::uint8_t> out) noexcept {
    Query query;
    if (!read_query(message, query)) return 0;
    return answer(query, message, snapshot, client, random, out).size;
}

} // namespace fairway::dns
