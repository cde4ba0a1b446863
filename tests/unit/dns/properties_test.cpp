// What must hold of every message, tried on many that chance has made; ldns reads them.
#include "tests/unit/dns/oracle.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace fairway;
using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

using Rng = std::mt19937_64;

unsigned pick(Rng& rng, std::size_t n) { return static_cast<unsigned>(rng() % n); }

// ---------------------------------------------------------------- client subnet

// The address with all bits beyond `length` taken from `other`.
IpAddress mixed(IpAddress address, unsigned length, const IpAddress& other) {
    for (unsigned bit = length; bit < address.bits(); ++bit) {
        const auto mask = static_cast<std::uint8_t>(0x80 >> bit % 8);
        auto& octet = address.bytes[bit / 8];
        octet = static_cast<std::uint8_t>((octet & ~mask) | (other.bytes[bit / 8] & mask));
    }
    return address;
}

IpAddress any_address(Family family, Rng& rng) {
    IpAddress a{family, {}};
    for (std::size_t i = 0; i < a.size(); ++i) a.bytes[i] = static_cast<std::uint8_t>(rng());
    return a;
}

Prefix network(const IpAddress& address, unsigned length) {
    return {mixed(address, length, IpAddress{address.family, {}}), static_cast<std::uint8_t>(length)};
}

// Networks of both families, many within others; every third class says the same as another to the service,
// though its networks are told apart.
struct Clientele {
    explicit Clientele(Rng& rng) {
        Model m;
        m.zones = {zone_of("example.com", {"@ 3600 SOA ns1 host 1 3600 600 86400 60", "@ 3600 NS ns1"})};
        m.clients.classes.resize(12);
        std::map<Prefix, ClientClassIndex> networks;
        for (int i = 0; i < 200; ++i) {
            const bool nested = !networks.empty() && rng() % 2;
            auto around = networks.begin();
            if (nested) std::advance(around, rng() % networks.size());
            const Prefix outer =
                nested ? around->first : network(any_address(rng() % 2 ? Family::v4 : Family::v6, rng), 0);
            const unsigned bits = outer.address.bits();
            const unsigned length =
                std::min<unsigned>(bits, outer.length + 1 + pick(rng, nested ? 6 : bits / 2));
            networks[network(mixed(outer.address, outer.length, any_address(outer.address.family, rng)),
                             length)] = static_cast<ClientClassIndex>(rng() % m.clients.classes.size());
        }
        for (const auto& [prefix, c] : networks) m.clients.networks.push_back({prefix, c});
        m.services.resize(1);
        m.services[0].name = *Name::parse("near.example.com");
        AnswerPlan plan;
        plan.kind = AnswerPlan::Kind::by_client;
        for (std::uint8_t i = 0; i < 4; ++i)
            plan.choices.push_back({0, {IpAddress{Family::v4, {192, 0, 2, i}}}, 1});
        for (std::uint16_t c = 0; c < 12; ++c) plan.by_client.push_back(c % 4);
        snapshot = compile(m, std::vector<AnswerPlan>{plan}, 1);
        networks_ = m.clients.networks;
    }

    // The address that is answered, and the scope.
    std::pair<std::uint32_t, unsigned> ask(const Prefix& client) const {
        const auto reply = testing::ask(*snapshot, with_opt(make_query("near.example.com.", rrtype::a),
                                                            {1232, 0, 0, subnet(client.to_string())}));
        const std::size_t octets = (client.length + 7u) / 8;
        const std::size_t option = reply.size() - 8 - octets;
        REQUIRE(get16(&reply[6]) == 1);
        REQUIRE(reply[option + 6] == client.length);
        return {get32(&reply[option - 11 - 4]), reply[option + 7]};
    }

    IpAddress near_a_network(Rng& rng) const {
        const auto& n = networks_[rng() % networks_.size()].prefix;
        return mixed(n.address, n.length - std::min<unsigned>(n.length, pick(rng, 3)),
                     any_address(n.address.family, rng));
    }

    SnapshotPtr snapshot;

  private:
    std::vector<Clients::Network> networks_;
};

// ---------------------------------------------------------------- names and their compression

std::string any_label(Rng& rng) {
    static const char* const words[] = {"a", "bb", "a-longer-label", "x1", "_srv", "A", "Mixed"};
    return rng() % 8 ? words[rng() % std::size(words)] : std::string(1 + rng() % 63, 'l');
}

// Under the zone or, now and then, elsewhere, with endings that many share.
std::string any_name(Rng& rng, bool inside) {
    static const char* const ends[] = {"example.com.", "sub.example.com.", "deep.sub.example.com."};
    static const char* const others[] = {"example.net.", "com.", "sub.example.net.", "."};
    std::string name;
    for (std::size_t n = rng() % 3; n; --n) name += any_label(rng) + ".";
    const std::string end = inside || rng() % 3 ? ends[rng() % 3] : others[rng() % 4];
    return end == "." && !name.empty() ? name : name + end;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string any_data(const std::string& type, Rng& rng) {
    const std::string name = any_name(rng, false);
    if (type == "MX") return std::to_string(rng() % 100) + " " + name;
    if (type == "SRV") return "1 2 " + std::to_string(rng() % 65536) + " " + name;
    if (type == "NAPTR") return "1 2 \"u\" \"s\" \"\" " + name;
    return name;
}

std::string in_random_case(std::string name, Rng& rng) {
    for (char& c : name)
        if (std::isalpha(static_cast<unsigned char>(c)) && rng() % 2) c = static_cast<char>(c ^ 0x20);
    return name;
}

} // namespace

TEST_CASE("every address inside a scope has the same answer, and the scope is what was used (RFC 7871)") {
    Rng rng(7871);
    for (int world = 0; world < 5; ++world) {
        const Clientele clientele(rng);
        std::set<unsigned> scopes;
        for (int i = 0; i < 300; ++i) {
            const IpAddress address =
                i % 4 ? clientele.near_a_network(rng) : any_address(i % 8 ? Family::v4 : Family::v6, rng);
            const Prefix client = network(address, 1 + pick(rng, address.bits()));
            CAPTURE(client.to_string());
            const auto [answered, scope] = clientele.ask(client);
            scopes.insert(scope);
            REQUIRE(scope <= address.bits());
            const IpAddress zeros{address.family, {}};
            IpAddress ones = zeros;
            std::fill_n(ones.bytes.begin(), ones.size(), std::uint8_t{0xff});
            for (int inside = 0; inside < 20; ++inside) {
                const IpAddress& rest = inside == 0   ? zeros
                                        : inside == 1 ? ones
                                                      : any_address(address.family, rng);
                const Prefix other = network(mixed(client.address, scope, rest), address.bits());
                CAPTURE(other.to_string());
                CHECK(clientele.ask(other).first == answered);
            }
        }
        CHECK(scopes.size() > 10);
    }
}

TEST_CASE("whatever the names are, they are compressed into what ldns reads as the same") {
    Rng rng(1035);
    for (int world = 0; world < 10; ++world) {
        // Sets of one type at one name each, so that nothing follows or occludes anything.
        std::vector<std::string> lines{
            "@ 3600 SOA ns1.sub.example.com. host.example.net. 1 3600 600 86400 60",
            "@ 3600 NS ns1.sub.example.com."};
        std::map<std::string, std::pair<std::string, std::set<std::string>>> sets;
        for (int i = 0; i < 60; ++i) {
            static const char* const types[] = {"MX", "PTR", "SRV", "NAPTR", "CNAME"};
            const std::string name = lower(any_name(rng, true)), type = types[rng() % 5];
            if (name == "example.com." || sets.contains(name)) continue;
            auto& [its_type, data] = sets[name];
            its_type = type;
            for (std::size_t n = type == "CNAME" ? 1 : 1 + rng() % 4; n; --n)
                data.insert(any_data(type, rng));
            for (const auto& d : data) lines.push_back(name + " 300 " + type + " " + d);
        }
        Model m;
        m.zones = {zone_of("example.com", lines)};
        const auto snapshot = compile(m, {}, 1);
        for (const auto& [name, set] : sets) {
            const auto& [type, data] = set;
            const std::string asked = in_random_case(name, rng);
            CAPTURE(asked);
            CAPTURE(type);
            const auto query = make_query(asked, type_number(type));
            const auto reply = ask(*snapshot, query, {{}, Client::Transport::tcp});
            CHECK(std::equal(query.begin() + header_size, query.end(), reply.begin() + header_size));
            const auto read = decode(reply);
            REQUIRE(read);
            std::set<std::string> found, expected;
            for (const auto& line : read->answer) found.insert(lower(line));
            for (const auto& d : data) expected.insert(lower(name + " 300 " + type + " " + d));
            CHECK(found == expected);
        }
    }
}
