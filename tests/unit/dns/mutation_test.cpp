// N6 on any compiler: mutated packets, seeded. The longer run is the fuzzer's (tests/fuzz).
#include "tests/fuzz/query_world.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <random>

using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

void mutate(Packet& p, std::mt19937_64& rng) {
    const auto octet = [&] { return static_cast<std::uint8_t>(rng()); };
    const std::size_t at = p.empty() ? 0 : rng() % p.size();
    switch (p.empty() ? 3 : rng() % 7) {
    case 0: p[at] = octet(); break;
    case 1: p[at] = static_cast<std::uint8_t>(p[at] ^ 1u << rng() % 8); break;
    case 2: p.resize(at); break;
    case 3: p.insert(p.begin() + static_cast<std::ptrdiff_t>(at), rng() % 20, octet()); break;
    case 4: p.erase(p.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 5: p[at] = static_cast<std::uint8_t>(0xc0 | octet()); break;
    case 6: p[rng() % std::min<std::size_t>(p.size(), 12)] = static_cast<std::uint8_t>(rng() % 4); break;
    }
}

} // namespace

TEST_CASE("mutated packets neither crash nor confuse, and a good query is still answered") {
    const char* const wanted = std::getenv("FAIRWAY_MUTATIONS");
    const int packets = wanted ? std::atoi(wanted) : 20'000;
    const auto snapshot = fuzz_world();
    const auto seeds = seed_queries();
    for (const auto& seed : seeds) check_answer(seed, *snapshot);
    std::mt19937_64 rng(20261120);
    for (int i = 0; i < packets; ++i) {
        Packet p = seeds[rng() % seeds.size()];
        for (std::size_t n = 1 + rng() % 4; n; --n) mutate(p, rng);
        check_answer(p, *snapshot);
    }
    const auto good = decode(ask(*snapshot, make_query("web.a.test.", 1)));
    REQUIRE(good);
    CHECK(good->answer == std::vector<std::string>{"web.a.test. 300 A 192.0.2.80"});
}
