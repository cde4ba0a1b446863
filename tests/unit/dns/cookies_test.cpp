// DNS cookies: the hash, the RFC's own examples, and what a message with one is answered.
#include "dns/siphash.hpp"
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <memory>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

Packet hex(std::string_view text) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    Packet out;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(digit(text[i]) << 4 | digit(text[i + 1])));
    return out;
}

CookieSettings::Secret secret(std::string_view text) {
    CookieSettings::Secret s{};
    std::ranges::copy(hex(text), s.begin());
    return s;
}

// OpenSSL's word on it.
Packet siphash_by_openssl(const SipKey& key, Bytes message) {
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr),
                                                                EVP_MAC_free);
    const std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(mac.get()),
                                                                            EVP_MAC_CTX_free);
    std::size_t size = 8;
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_size_t("size", &size), OSSL_PARAM_construct_end()};
    REQUIRE(EVP_MAC_init(context.get(), key.data(), key.size(), parameters) == 1);
    EVP_MAC_update(context.get(), message.data(), message.size());
    Packet out(size);
    REQUIRE(EVP_MAC_final(context.get(), out.data(), &size, out.size()) == 1);
    return out;
}

Packet siphash_of(const SipKey& key, Bytes message) {
    Packet out(8);
    const std::uint64_t hash = siphash(key, message);
    std::memcpy(out.data(), &hash, 8);
    return out;
}

constexpr std::uint32_t now = 1559731985;
const Packet client_cookie = hex("2464c4abcf10c957");

Client from(const char* address, Client::Transport transport = Client::Transport::udp,
            std::uint32_t at = now) {
    return {*IpAddress::parse(address), transport, 0, at};
}

SnapshotPtr world(CookieSettings cookies) {
    Model m;
    m.zones = {zone_of("example.com",
                       {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1", "www 300 A 192.0.2.80"})};
    m.dns.cookies = std::move(cookies);
    return compile(m, {}, 1);
}

SnapshotPtr world() { return world({{secret("e5e973e5a6b2a43f48e7dc849e37bfcf")}, false}); }

Packet www(const Packet& cookie) {
    return with_opt(make_query("www.example.com.", rrtype::a), {1232, 0, 0, option(10, cookie)});
}

// The cookie a reply ends with; empty where it has none.
Packet cookie_of(const Packet& reply) {
    constexpr std::size_t with_option = 4 + cookie_size;
    if (reply.size() < with_option || get16(&reply[reply.size() - with_option]) != 10) return {};
    return Packet(reply.end() - cookie_size, reply.end());
}

unsigned rcode_of(const Packet& reply) {
    const std::size_t opt = cookie_of(reply).empty() ? 11 : 11 + 4 + cookie_size;
    return (reply[3] & 15u) | unsigned{reply[reply.size() - opt + 5]} << 4;
}

Packet learnt(const Snapshot& snapshot, const Client& client) {
    return cookie_of(ask(snapshot, www(client_cookie), client));
}

} // namespace

TEST_CASE("SipHash-2-4 is what its authors and OpenSSL make of it") {
    SipKey key;
    Packet message;
    for (std::uint8_t i = 0; i < key.size(); ++i) key[i] = i;
    CHECK(siphash_of(key, message) == hex("310e0edd47db6f72")); // the reference's first and second
    CHECK(siphash_of(key, Packet{0}) == hex("fd67dc93c539f874"));
    for (std::uint8_t i = 0; i < 64; ++i) {
        CHECK(siphash_of(key, message) == siphash_by_openssl(key, message));
        message.push_back(i);
    }
}

TEST_CASE("the examples of RFC 9018 appendix A") {
    struct Row {
        const char *what, *secrets[2], *client, *sent, *answered;
        std::uint32_t now;
        CookieState state;
    };
    const char* const one = "e5e973e5a6b2a43f48e7dc849e37bfcf";
    const Row rows[] = {
        {"A.1",
         {one},
         "198.51.100.100",
         "2464c4abcf10c957",
         "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
         1559731985,
         CookieState::client},
        {"A.2",
         {one},
         "198.51.100.100",
         "2464c4abcf10c957010000005cf79f111f8130c3eee29480",
         "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
         1559734385,
         CookieState::good},
        // The example's cookie is older than the hour of section 4.3, so it is only renewed; ...
        {"A.3",
         {one},
         "203.0.113.203",
         "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
         "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
         1559734700,
         CookieState::bad},
        // ... within it, the octets that are reserved are part of what is hashed.
        {"A.3, in time",
         {one},
         "203.0.113.203",
         "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
         "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5",
         1559727985,
         CookieState::good},
        {"A.4",
         {"445536bcd2513298075a5d379663c962", "dd3bdf9344b678b185a6f5cb60fca715"},
         "2001:db8:220:1:59de:d0f4:8769:82b8",
         "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
         "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
         1559741961,
         CookieState::good},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        CookieSettings settings;
        for (const char* s : row.secrets)
            if (s) settings.secrets.push_back(secret(s));
        Cookie cookie;
        REQUIRE(cookie.read(hex(row.sent)));
        const auto check = check_cookie(settings, cookie, *IpAddress::parse(row.client), row.now);
        CHECK(check.state == row.state);
        CHECK(Packet(check.reply, check.reply + cookie_size) == hex(row.answered));
    }
}

TEST_CASE("a cookie of a wrong length is FORMERR, one that is not ours is a first contact") {
    const auto snapshot = world();
    for (std::size_t length = 0; length <= 48; ++length) {
        CAPTURE(length);
        const auto reply = ask(*snapshot, www(Packet(length, 7)), from("192.0.2.1"));
        const bool right = length == 8 || (length >= 16 && length <= 40);
        CHECK(rcode_of(reply) == (right ? 0 : 1));
        CHECK(cookie_of(reply).empty() != right);
    }
    Packet two = www(client_cookie); // the second does not count, whatever it is
    const auto second = option(10, {1});
    two.insert(two.end(), second.begin(), second.end());
    put16(&two[two.size() - second.size() - 12 - 2], 12 + second.size());
    CHECK(cookie_of(ask(*snapshot, two, from("192.0.2.1"))) == learnt(*snapshot, from("192.0.2.1")));
}

TEST_CASE("a cookie holds for its client, an hour, and the secrets there are") {
    const auto one = secret("00112233445566778899aabbccddeeff"),
               two = secret("ffeeddccbbaa99887766554433221100");
    const CookieSettings before{{one}, true}, both{{two, one}, true}, after{{two}, true};
    const auto client = from("192.0.2.1");
    const auto cookie = learnt(*world(before), client);
    REQUIRE(cookie.size() == cookie_size);
    const auto taken = [&](const CookieSettings& settings, const Client& c) {
        return rcode_of(ask(*world(settings), www(cookie), c)) == 0;
    };
    CHECK(taken(before, client));
    CHECK(taken(both, client));
    CHECK_FALSE(taken(after, client));
    CHECK_FALSE(taken(before, from("192.0.2.2")));
    CHECK_FALSE(taken(before, from("2001:db8::1")));
    CHECK(taken(before, from("192.0.2.1", Client::Transport::udp, now + 3600)));
    CHECK_FALSE(taken(before, from("192.0.2.1", Client::Transport::udp, now + 3601)));
    CHECK(taken(before, from("192.0.2.1", Client::Transport::udp, now - 300)));
    CHECK_FALSE(taken(before, from("192.0.2.1", Client::Transport::udp, now - 301)));
    auto forged = cookie;
    for (auto& octet : forged) {
        octet ^= 1;
        const auto reply = ask(*world(before), www(forged), client);
        CHECK(rcode_of(reply) == 23);
        const auto renewed = cookie_of(reply);
        REQUIRE(renewed.size() == cookie_size);
        CHECK(std::equal(forged.begin(), forged.begin() + client_cookie_size, renewed.begin()));
        octet ^= 1;
    }
    // Young and of the present secret, it is kept; else it is renewed.
    CHECK(cookie_of(ask(*world(before), www(cookie),
                        from("192.0.2.1", Client::Transport::udp, now + 1800))) == cookie);
    CHECK(cookie_of(ask(*world(before), www(cookie),
                        from("192.0.2.1", Client::Transport::udp, now + 1801))) != cookie);
    CHECK(cookie_of(ask(*world(both), www(cookie), client)) != cookie);
}

TEST_CASE("BADCOOKIE is for those who know cookies, by UDP, where one is required") {
    const auto easy = world(), strict = world({{secret("e5e973e5a6b2a43f48e7dc849e37bfcf")}, true}),
               none = world({{}, true});
    const auto udp = from("192.0.2.1"), tcp = from("192.0.2.1", Client::Transport::tcp);
    const auto plain = with_opt(make_query("www.example.com.", rrtype::a), {});
    const auto good = www(learnt(*easy, udp)), bad = www(Packet(24, 1));
    struct Row {
        const char* what;
        SnapshotPtr server;
        const Packet& query;
        const Client& client;
        unsigned rcode;
        bool cookie;
    };
    const auto first = www(client_cookie);
    const Row rows[] = {
        {"none sent", strict, plain, udp, 0, false},       {"first contact", strict, first, udp, 23, true},
        {"a bad one", strict, bad, udp, 23, true},         {"a good one", strict, good, udp, 0, true},
        {"TCP, first", strict, first, tcp, 0, true},       {"TCP, bad", strict, bad, tcp, 0, true},
        {"not required, bad", easy, bad, udp, 0, true},    {"not required, first", easy, first, udp, 0, true},
        {"no secrets, first", none, first, udp, 0, false}, {"no secrets, bad", none, bad, udp, 0, false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.what);
        const auto reply = ask(*row.server, row.query, row.client);
        CHECK(rcode_of(reply) == row.rcode);
        CHECK(cookie_of(reply).empty() != row.cookie);
        CHECK(get16(&reply[6]) == (row.rcode == 0));
    }
}

TEST_CASE("without a question, a cookie may be asked for (RFC 7873 section 5.4)") {
    const auto snapshot = world(), none = world(CookieSettings{});
    const auto client = from("192.0.2.1");
    const Packet header = {0x12, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const auto with_cookie = [&](const Packet& cookie) {
        return with_opt(header, {1232, 0, 0, option(10, cookie)});
    };
    const auto first = ask(*snapshot, with_cookie(client_cookie), client);
    CHECK(rcode_of(first) == 0);
    CHECK(cookie_of(first) == learnt(*snapshot, client));
    CHECK(get16(&first[4]) == 0);
    CHECK(rcode_of(ask(*snapshot, with_cookie(cookie_of(first)), client)) == 0);
    CHECK(rcode_of(ask(*snapshot, with_cookie(Packet(24, 1)), client)) == 23);
    CHECK(rcode_of(ask(*none, with_cookie(client_cookie), client)) == 1);
    CHECK(rcode_of(ask(*snapshot, with_opt(header, {}), client)) == 1);
    CHECK(decode(ask(*snapshot, header, client))->rcode == "FORMERR");
}

TEST_CASE("what a client over its rate gets lets it come back: TC, or BADCOOKIE if it knows cookies") {
    const auto snapshot = world();
    const auto client = from("192.0.2.1");
    const auto slipped = [&](Packet query) {
        Query read;
        REQUIRE(read_query(query, read));
        Packet out(max_udp);
        out.resize(slip(read, query, *snapshot, client, out).size);
        return out;
    };
    const auto plain = slipped(make_query("www.example.com.", rrtype::a));
    CHECK(plain.size() == make_query("www.example.com.", rrtype::a).size());
    CHECK(get16(&plain[2]) == (flag::qr | flag::tc));
    const auto aware = slipped(www(client_cookie));
    CHECK(rcode_of(aware) == 23);
    CHECK(cookie_of(aware) == learnt(*snapshot, client));
    CHECK((aware[2] & 2) == 0);
}
