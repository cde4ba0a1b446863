// What holds a network, and which class goes on as which.
#include "config/enclosing.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

using namespace fairway;

namespace {
Prefix net(const std::string& text) { return Prefix::parse(text).value(); }
} // namespace

TEST_CASE("a class goes on from the one whose clients it has") {
    Clients before, after;
    before.classes.resize(3);
    before.networks = {{net("10.0.0.0/8"), 1}, {net("10.7.0.0/16"), 2}};
    after.classes.resize(5);
    after.networks = {{net("10.0.0.0/8"), 1},
                      {net("10.1.0.0/16"), 3},
                      {net("10.7.0.0/16"), 2},
                      {net("10.7.1.0/24"), 4},
                      {net("192.0.2.0/24"), 3}};
    CHECK(heirs(before, after) == std::vector<ClientClassIndex>{0, 1, 2, 1, 2});
    CHECK(heirs(after, before) == std::vector<ClientClassIndex>{0, 1, 2});
}

TEST_CASE("what holds a network is found in one pass, as by looking at each") {
    std::mt19937 random(11);
    auto prefix = [&] {
        Prefix p;
        p.length = static_cast<std::uint8_t>(random() % 9);
        p.address.bytes[0] = static_cast<std::uint8_t>(random() & (0xff00 >> p.length));
        return p;
    };
    for (int round = 0; round < 300; ++round) {
        std::map<Prefix, ClientClassIndex> networks;
        for (int i = 0; i < 12; ++i) networks.emplace(prefix(), static_cast<ClientClassIndex>(i));
        std::vector<Clients::Network> list;
        for (auto& [p, k] : networks) list.push_back({p, k});
        std::set<Prefix> asked;
        for (int i = 0; i < 12; ++i) asked.insert(prefix());
        Enclosing holders(list);
        for (const Prefix& p : asked) {
            const Clients::Network* best = nullptr;
            for (const auto& n : list)
                if (n.prefix.length <= p.length && n.prefix.contains(p.address) &&
                    (!best || n.prefix.length > best->prefix.length))
                    best = &n;
            CHECK(holders.of(p) == best);
        }
    }
}
