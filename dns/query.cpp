#include "dns/query.hpp"

#include "config/record.hpp"

namespace fairway::dns {
namespace {

// The name at offset 12. Reading eight octets that end with the name never leaves the message: the header
// lies before it.
bool read_name(Bytes message, FoldedName& name) noexcept {
    const std::uint8_t* const start = message.data() + header_size;
    const std::size_t room = message.size() - header_size;
    std::size_t length = 0;
    unsigned labels = 0;
    for (;; ++labels) {
        if (length >= room || start[length] > max_label) return false;
        const std::size_t n = start[length];
        length += n + 1;
        if (n == 0) break;
    }
    if (length > max_name || length > room) return false;
    name.length = static_cast<std::uint8_t>(length);
    name.labels = static_cast<std::uint8_t>(labels);
    std::uint64_t hash = hash_start;
    std::size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        const std::uint64_t w = fold(load64(start + i));
        std::memcpy(name.bytes + i, &w, 8);
        hash = mix(hash, w);
    }
    std::uint64_t padding[2] = {0, 0};
    if (const std::size_t tail = length - i) {
        padding[0] = fold(load64(start + length - 8) >> (8 * (8 - tail)));
        hash = mix(hash, padding[0]);
    }
    std::memcpy(name.bytes + i, padding, 16);
    name.hash = hash;
    return true;
}

// Octets of a possibly compressed name that is only stepped over; 0 if it does not end.
std::size_t skip_name(Bytes rest) noexcept {
    for (std::size_t i = 0; i < rest.size(); i += rest[i] + 1u) {
        if (rest[i] == 0) return i + 1;
        if (rest[i] >= 0xc0) return i + 2;
        if (rest[i] > max_label) return 0;
    }
    return 0;
}

// What follows the question: no answer or authority, at most one OPT, nothing after the last record.
bool read_additional(Bytes message, std::size_t at, Edns& edns) noexcept {
    if (get32(message.data() + 6) != 0) return false;
    for (unsigned records = get16(message.data() + 10); records; --records) {
        const std::size_t name = skip_name(message.subspan(at));
        at += name;
        if (name == 0 || at + 10 > message.size()) return false;
        const std::uint8_t* const record = message.data() + at;
        const std::size_t length = get16(record + 8);
        if (at + 10 + length > message.size()) return false;
        if (get16(record) == rrtype::opt) {
            if (edns.present || name != 1) return false;
            if (!read_opt(record + 2, message.subspan(at + 10, length), edns)) return false;
        }
        at += 10 + length;
    }
    return at == message.size();
}

// Without a question: an error, unless it is there for its cookie.
Rcode read_no_question(Bytes message, Query& query) noexcept {
    if (!read_additional(message, header_size, query.edns)) return Rcode::formerr;
    if (query.edns.version != 0) return Rcode::badvers;
    if (query.edns.cookie.length) query.asks = Query::Asks::cookie;
    return Rcode::formerr;
}

// RFC 9619: one question, or none.
Rcode read_question(Bytes message, Query& query) noexcept {
    const unsigned questions = get16(message.data() + 4);
    if (questions == 0) return read_no_question(message, query);
    if (questions != 1 || !read_name(message, query.name)) return Rcode::formerr;
    const std::size_t end = header_size + query.name.length;
    if (end + 4 > message.size()) return Rcode::formerr;
    query.type = get16(message.data() + end);
    query.question_end = static_cast<std::uint16_t>(end + 4);
    if (query.type == rrtype::ixfr)
        return Rcode::refused; // before its SOA in the authority section is a FORMERR
    // Most queries end here, and say so: no answer, authority or additional record.
    const bool more = end + 4 != message.size() || load64(message.data() + 4) >> 16;
    if (more && !read_additional(message, end + 4, query.edns)) return Rcode::formerr;
    if (query.edns.version != 0) return Rcode::badvers;
    const unsigned asked_class = get16(message.data() + end + 2);
    if (asked_class == class_in && query.type != rrtype::axfr) return Rcode::noerror;
    if (asked_class == class_chaos) query.asks = Query::Asks::server;
    return Rcode::refused;
}

} // namespace

bool read_query(Bytes message, Query& query) noexcept {
    if (message.size() < header_size || message[2] & (flag::qr >> 8)) return false;
    query.flags = get16(message.data() + 2);
    query.question_end = header_size;
    query.asks = Query::Asks::names;
    query.edns = Edns{};
    query.rcode = read_question(message, query);
    if (query.flags & flag::opcode) {
        query.rcode = Rcode::notimp;
        query.asks = Query::Asks::names;
    }
    return true;
}

} // namespace fairway::dns
