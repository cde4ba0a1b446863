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
    std::uint8_t* out;
    OptReply opt;
    CookieState cookie;

    Reply finish(const Header& h, std::size_t end, unsigned scope = 0) const noexcept {
        write_header(query, message, out, h);
        if (opt.present)
            end = static_cast<std::size_t>(write_opt(out + end, query.edns, opt, h.rcode, scope) - out);
        return {end, h.rcode, (h.flags & flag::tc) != 0, cookie};
    }
    Reply refuse(Rcode rcode) const noexcept { return finish({0, rcode, {}}, query.question_end); }
};

// What goes into the answer section as it lies in the snapshot. `wire` null: it takes more than that.
struct Plain {
    const std::uint8_t* wire = nullptr;
    std::size_t size = 0;
    std::uint16_t count = 0;
    unsigned scope = 0;
};

Plain plain_set(const Query& query, const Node& node) noexcept {
    if (query.type == rrtype::ds || names_host(query.type)) return {}; // another zone's, or with addresses
    const RrsetHeader* const set = node.find(query.type);
    return set ? Plain{set->wire(), set->size, set->count, 0} : Plain{};
}

// The common cases alone: the name is there and is nothing but itself, or a service that has addresses.
Plain plain_hit(const Query& query, const Snapshot& snapshot, const Client& client, Random& random) noexcept {
    const Node* const node = snapshot.fixed->names.find(query.name);
    if (!node || node->is(Node::cut | Node::occluded)) return {};
    if (!node->is(Node::service)) return plain_set(query, *node);
    if (query.type != rrtype::a && query.type != rrtype::aaaa) return {};
    const ServiceAnswers& answers = *snapshot.services[node->service_index];
    if (!answers.has_choices() || answers.has_names()) return {};
    const Choosing chosen = choose(answers, query, snapshot, client, random);
    const auto& set = answers.set(chosen.choice, query.type == rrtype::aaaa);
    return set.count ? Plain{answers.wire(set), set.size, set.count, chosen.scope} : Plain{};
}

Bytes bytes_of(const std::string& s) { return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()}; }

OptReply opt_for(const Query& query, const DnsSettings& settings, const Client& client,
                 const CookieCheck& cookie) noexcept {
    OptReply opt;
    opt.present = true;
    opt.subnet = query.edns.subnet.present;
    if (query.edns.nsid) opt.nsid = bytes_of(settings.nsid);
    if (cookie.state != CookieState::none) opt.cookie = cookie.reply;
    if (query.edns.keepalive && client.transport == Client::Transport::tcp) opt.keepalive = client.keepalive;
    return opt;
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
    std::uint8_t* const record = w.out + at;
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
    if (w.query.rcode != Rcode::refused) w.opt.subnet = false;
    return w.refuse(w.query.rcode);
}

bool may_demand_cookie(const Client& client, CookieState state) noexcept {
    return client.transport == Client::Transport::udp &&
           (state == CookieState::client || state == CookieState::bad);
}

} // namespace

Reply answer(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
             Random& random, std::span<std::uint8_t> out) noexcept {
    const DnsSettings& settings = snapshot.fixed->settings;
    if (out.data() != message.data()) std::memcpy(out.data(), message.data(), query.question_end);
    CookieCheck cookie;
    Writing w{query, message, out.data(), {}, CookieState::none};
    if (query.edns.present) {
        if (query.edns.cookie.length)
            cookie = check_cookie(settings.cookies, query.edns.cookie, client.address, client.now);
        w.cookie = cookie.state;
        w.opt = opt_for(query, settings, client, cookie);
    }
    if (query.rcode != Rcode::noerror) return answer_other(w, settings);
    if (settings.cookies.required && may_demand_cookie(client, w.cookie)) return w.refuse(Rcode::badcookie);

    const std::size_t limit = size_limit(query, client, out.size()) - opt_size(query.edns, w.opt);
    Random drawn = random; // what comes to nothing here must not be drawn twice below
    if (const Plain hit = plain_hit(query, snapshot, client, drawn); hit.wire) {
        const std::size_t end = query.question_end + hit.size;
        if (end <= limit) {
            random = drawn;
            std::memcpy(out.data() + query.question_end, hit.wire, hit.size);
            return w.finish({flag::aa, Rcode::noerror, {hit.count, 0, 0}}, end, hit.scope);
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
    return w.finish(h, response.size(), resolution.scope);
}

Reply slip(const Query& query, Bytes message, const Snapshot& snapshot, const Client& client,
           std::span<std::uint8_t> out) noexcept {
    const DnsSettings& settings = snapshot.fixed->settings;
    if (out.data() != message.data()) std::memcpy(out.data(), message.data(), query.question_end);
    const CookieCheck cookie = check_cookie(settings.cookies, query.edns.cookie, client.address, client.now);
    Writing w{query, message, out.data(), {}, cookie.state};
    if (query.edns.present) w.opt = opt_for(query, settings, client, cookie);
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
