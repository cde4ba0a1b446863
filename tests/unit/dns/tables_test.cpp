// The tables behind the answers, each against a plain reference.
#include "dns/alias_table.hpp"
#include "dns/folded_name.hpp"
#include "dns/network_table.hpp"
#include "dns/query.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

using namespace fairway;
using namespace fairway::dns;

namespace {

ClientClassIndex longest_match(const std::vector<Clients::Network>& networks, const IpAddress& a) {
    int best = -1;
    ClientClassIndex found = 0;
    for (const auto& n : networks)
        if (n.prefix.contains(a) && n.prefix.length > best) {
            best = n.prefix.length;
            found = n.client_class;
        }
    return found;
}

IpAddress masked(IpAddress a, unsigned length) {
    for (unsigned bit = length; bit < a.bits(); ++bit)
        a.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80 >> bit % 8));
    return a;
}

// Addresses that crowd together, so that prefixes nest and touch.
IpAddress some_address(std::mt19937_64& rng, Family family) {
    IpAddress a;
    a.family = family;
    for (std::size_t i = 0; i < a.size(); ++i)
        a.bytes[i] = static_cast<std::uint8_t>(rng() % 4 == 0 ? rng() : (rng() % 2) * 255);
    return a;
}

} // namespace

TEST_CASE(
    "the network table finds the longest prefix, and every address inside the scope has the same class") {
    for (unsigned seed = 0; seed < 200; ++seed) {
        CAPTURE(seed);
        std::mt19937_64 rng(seed);
        std::map<Prefix, ClientClassIndex> unique;
        const std::size_t count = seed % 10 ? rng() % 40 : 1000; // few, and so many that there is an index
        for (std::size_t i = 0; i < count; ++i) {
            const Family family = rng() % 2 ? Family::v4 : Family::v6;
            const auto a = some_address(rng, family);
            const auto length = static_cast<std::uint8_t>(rng() % (a.bits() + 1));
            unique[{masked(a, length), length}] = static_cast<ClientClassIndex>(rng() % 4);
        }
        std::vector<Clients::Network> networks;
        for (const auto& [p, c] : unique) networks.push_back({p, c});
        const NetworkTable table(networks);
        for (int i = 0; i < 200; ++i) {
            const auto a = some_address(rng, rng() % 2 ? Family::v4 : Family::v6);
            const auto found = table.find(a);
            REQUIRE(found.client_class == longest_match(networks, a));
            for (int k = 0; k < 20; ++k) { // somewhere else inside the scope
                auto other = some_address(rng, a.family);
                for (unsigned bit = 0; bit < found.scope; ++bit) {
                    const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
                    other.bytes[bit / 8] =
                        static_cast<std::uint8_t>((other.bytes[bit / 8] & ~mask) | (a.bytes[bit / 8] & mask));
                }
                REQUIRE(longest_match(networks, other) == found.client_class);
                REQUIRE(table.find(other).scope == found.scope);
            }
        }
    }
}

TEST_CASE("the scope is no longer than it must be") {
    const NetworkTable none({});
    CHECK(none.find(*IpAddress::parse("192.0.2.1")).scope == 0);
    const NetworkTable halves({{*Prefix::parse("0.0.0.0/1"), 1}, {*Prefix::parse("128.0.0.0/1"), 1}});
    CHECK(halves.find(*IpAddress::parse("192.0.2.1")).scope == 0);
    CHECK(halves.find(*IpAddress::parse("192.0.2.1")).client_class == 1);
}

TEST_CASE("the alias table gives each weight exactly its share") {
    std::mt19937_64 rng(1);
    for (int round = 0; round < 500; ++round) {
        std::vector<std::uint32_t> weights(1 + rng() % 20);
        for (auto& w : weights)
            w = static_cast<std::uint32_t>(rng() % 3 == 0 ? 0 : rng() % (round % 2 ? 10 : 4'000'000'000));
        std::uint64_t total = 0;
        const auto columns = make_alias_columns(weights, total);
        // Share times n * total, summed from the columns: n * weight, to the last unit.
        std::map<std::uint32_t, std::uint64_t> share;
        for (const auto& c : columns) {
            const auto own = std::min(c.threshold, total);
            share[c.self] += own;
            share[c.alias] += total - own;
        }
        const bool all_zero = std::all_of(weights.begin(), weights.end(), [](auto w) { return w == 0; });
        for (std::uint32_t i = 0; i < weights.size(); ++i)
            REQUIRE(share[i] == (all_zero ? total : weights[i] * columns.size()));
    }
}

TEST_CASE("draws follow the weights: 70, 20, 10 and never 0") {
    std::uint64_t total = 0;
    const std::vector<std::uint32_t> weights{70, 0, 20, 10};
    const auto columns = make_alias_columns(weights, total);
    Random random(42);
    std::array<int, 4> drawn{};
    for (int i = 0; i < 100'000; ++i) ++drawn[draw(columns, total, random.next())];
    CHECK(drawn[1] == 0);
    for (std::size_t i : {0u, 2u, 3u}) CHECK(std::abs(drawn[i] - static_cast<int>(weights[i]) * 1000) < 1000);
    CHECK(draw(columns, total, 0) < 4); // both ends of the range stay inside
    CHECK(draw(columns, total, ~std::uint64_t{0}) < 4);
}

TEST_CASE("folding changes upper case letters and nothing else") {
    for (unsigned c = 0; c < 256; ++c)
        for (std::size_t place = 0; place < block_size; ++place) {
            Block block{};
            block[place] = static_cast<std::uint8_t>(c);
            const Block folded = fold(block);
            for (std::size_t i = 0; i < block_size; ++i)
                REQUIRE(unsigned{folded[i]} == (i != place ? 0 : c >= 'A' && c <= 'Z' ? c + 32 : c));
        }
}

TEST_CASE("a name of any length is read whole, and nothing beyond the message") {
    for (std::size_t length = 1; length <= max_name; length == 1 ? length = 3 : ++length) {
        std::vector<std::uint8_t> wire;
        for (std::size_t left = length - 1; left;) { // labels of up to 63 octets, none of them empty
            std::size_t label = std::min<std::size_t>(left - 1, max_label);
            if (left - 1 - label == 1) --label;
            wire.push_back(static_cast<std::uint8_t>(label));
            for (std::size_t i = 0; i < label; ++i)
                wire.push_back(static_cast<std::uint8_t>('A' + (wire.size() + i) % 26));
            left -= label + 1;
        }
        wire.push_back(0);
        REQUIRE(wire.size() == length);
        std::vector<std::uint8_t> message{0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
        message.insert(message.end(), wire.begin(), wire.end());
        message.insert(message.end(), {0, 1, 0, 1});
        message.shrink_to_fit(); // the address sanitizer watches what follows
        Query query;
        REQUIRE(read_query(message, query));
        REQUIRE(query.rcode == Rcode::noerror);
        FoldedName expected;
        expected.assign(wire);
        REQUIRE(query.name.length == length);
        REQUIRE(query.name.hash == expected.hash);
        REQUIRE(std::equal(expected.bytes, expected.bytes + length + block_size, query.name.bytes));
    }
}
