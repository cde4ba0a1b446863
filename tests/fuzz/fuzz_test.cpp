// The fuzzers' harnesses on any compiler: their corpora, and mutations of their seeds. The longer run is
// libFuzzer's.
#include "tests/fuzz/tcp_stream.hpp"
#include "tests/fuzz/zone_text.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

using namespace fairway::dns;
using namespace fairway::dns::testing;

namespace {

std::vector<Packet> corpus(const std::string& name) {
    std::vector<Packet> found;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(FUZZ_CORPUS "/") + name)) {
        std::ifstream in(entry.path(), std::ios::binary);
        found.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    REQUIRE_FALSE(found.empty());
    return found;
}

std::string_view text_of(const Packet& p) { return {reinterpret_cast<const char*>(p.data()), p.size()}; }

template<typename Octets> void mutate(Octets& p, std::mt19937_64& rng) {
    if (p.empty()) return;
    const std::size_t at = rng() % p.size();
    switch (rng() % 5) {
    case 0: p[at] = static_cast<typename Octets::value_type>(rng()); break;
    case 1: p[at] = static_cast<typename Octets::value_type>(p[at] ^ 1 << rng() % 8); break;
    case 2: p.resize(at); break;
    case 3: p.erase(p.begin() + static_cast<std::ptrdiff_t>(at)); break;
    case 4:
        p.insert(p.end(), p.begin() + static_cast<std::ptrdiff_t>(at),
                 p.begin() + static_cast<std::ptrdiff_t>(at + (p.size() - at) / 2));
        break;
    }
}

} // namespace

TEST_CASE("what the fuzzers have found stays found") {
    const auto world = fuzz_world();
    for (const auto& packet : corpus("query")) check_answer(packet, *world);
    for (const auto& text : corpus("zone")) check_zone_text(text_of(text));
    for (const auto& stream : corpus("tcp")) check_tcp_stream(stream);
}

TEST_CASE("mutated zone texts are read or refused, and what is read can be answered") {
    std::mt19937_64 rng(20261120);
    const auto seeds = seed_zones();
    for (int i = 0; i < 3000; ++i) {
        std::string text = seeds[rng() % seeds.size()];
        for (std::size_t n = rng() % 6; n; --n) mutate(text, rng);
        check_zone_text(text);
    }
}

TEST_CASE("any octets on a TCP connection: whole answers to whole queries, and an end") {
    std::mt19937_64 rng(20261120);
    const auto seeds = seed_queries();
    std::size_t answers = 0;
    for (int i = 0; i < 1000; ++i) {
        Packet stream;
        for (std::size_t n = 1 + rng() % 4; n; --n) append_framed(stream, seeds[rng() % seeds.size()]);
        for (std::size_t n = rng() % 4; n; --n) mutate(stream, rng);
        answers += check_tcp_stream(stream);
    }
    CHECK(answers > 500); // most streams begin with a good query
}
