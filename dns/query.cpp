#include "dns/query.hpp"

#include "config/record.hpp"
#include "dns/opt_reader.hpp"

namespace fairway::dns {
namespace {

// The name at offset 12, which four octets of type and class follow. What is left of it after whole blocks is
// read with the octets before it, the header's if need be, so that nothing beyond the message is.
bool read_name(Bytes message, FoldedName& name) noexcept {
    const std::uint8_t* const start = message.data() + header_size;
    if (message.size() < header_size + 5) return false;
    const std::size_t room = message.size() - header_size - 4;
    std::size_t length = 0;
    while (const std::size_t label = start[length]) {
        length += label + 1;
        if (label > max_label || length >= room) return false;
    }
    if (++length > max_name) return false;
    name.length = static_cast<std::uint8_t>(length);
    std::uint64_t hash = hash_start;
    std::size_t i = 0;
    for (; i + block_size <= length; i += block_size) {
        const Block b = fold(load_block(start + i));
        store_block(name.bytes + i, b);
        hash = mix(hash, b);
    }
    if (const std::size_t rest = length - i) {
        const std::size_t after = length < 4 ? 4 : 0; // so short that type and class are needed, too
        uint128 last;
        std::memcpy(&last, start + length + after - sizeof last, sizeof last);
        if (after) last <<= 8 * after;
        last >>= 8 * (sizeof last - rest);
        Block b;
        std::memcpy(&b, &last, sizeof b);
        b = fold(b);
        store_block(name.bytes + i, b);
        hash = mix(hash, b);
        i += block_size;
    }
    store_block(name.bytes + i, Block{});
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
[[gnu::noinline]] bool read_additional(Bytes message, std::size_t at, Query& query) noexcept {
    if (get32(message.data() + 6) != 0) return false;
    for (unsigned records = get16(message.data() + 10); records; --records) {
        const std::size_t name = skip_name(message.subspan(at));
        at += name;
        if (name == 0 || at + 10 > message.size()) return false;
        const std::uint8_t* const record = message.data() + at;
        const std::size_t length = get16(record + 8);
        if (at + 10 + length > message.size()) return false;
        if (get16(record) == rrtype::opt) {
            if (query.edns.present || name != 1) return false;
            if (!read_opt(record, query.edns, query.options)) return false;
        }
        at += 10 + length;
    }
    return at == message.size();
}

// The same where it is one OPT and nothing else, as almost always.
inline bool read_lone_opt(Bytes message, std::size_t at, Query& query) noexcept {
    constexpr std::uint64_t one_question_one_additional = 0x0100'0000'0000'0100;
    constexpr std::size_t fixed = 11;
    if (load64(message.data() + 4) != one_question_one_additional || at + fixed > message.size())
        return false;
    const std::uint8_t* const opt = message.data() + at;
    return opt[0] == 0 && get16(opt + 1) == rrtype::opt && at + fixed + get16(opt + 9) == message.size() &&
           read_opt(opt + 1, query.edns, query.options);
}

bool read_rest(Bytes message, std::size_t at, Query& query) noexcept {
    if (read_lone_opt(message, at, query)) return true;
    query.edns = {};
    return read_additional(message, at, query);
}

// Without a question: an error, unless it is there for its cookie.
Rcode read_no_question(Bytes message, Query& query) noexcept {
    if (!read_additional(message, header_size, query)) return Rcode::formerr;
    if (query.edns.version != 0) return Rcode::badvers;
    if (query.edns.cookie) query.asks = Query::Asks::cookie;
    return Rcode::formerr;
}

// RFC 9619: one question, or none.
inline Rcode read_question(Bytes message, Query& query) noexcept {
    const unsigned questions = get16(message.data() + 4);
    if (questions == 0) return read_no_question(message, query);
    if (questions != 1 || !read_name(message, query.name)) return Rcode::formerr;
    const std::size_t end = header_size + query.name.length;
    query.type = get16(message.data() + end);
    query.question_end = static_cast<std::uint16_t>(end + 4);
    if (query.type == rrtype::ixfr)
        return Rcode::refused; // before its SOA in the authority section is a FORMERR
    // Many queries end here, and say so: no answer, authority or additional record.
    const bool more = end + 4 != message.size() || load64(message.data() + 4) >> 16;
    if (more && !read_rest(message, end + 4, query)) return Rcode::formerr;
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
    query.edns = {};
    query.sought = false;
    query.rcode = read_question(message, query);
    if (query.flags & flag::opcode) {
        query.rcode = Rcode::notimp;
        query.asks = Query::Asks::names;
    }
    return true;
}

} // namespace fairway::dns
