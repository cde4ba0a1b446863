#include "dns/siphash.hpp"

namespace fairway::dns {
namespace {

struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept {
        v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
        v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
    void compress(std::uint64_t word) noexcept {
        v3 ^= word;
        round(), round();
        v0 ^= word;
    }
};

} // namespace

std::uint64_t siphash(const SipKey& key, Bytes message) noexcept {
    const std::uint64_t k0 = load64(key.data()), k1 = load64(key.data() + 8);
    State s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261,
            k1 ^ 0x7465646279746573};
    const std::size_t whole = message.size() / 8 * 8;
    for (std::size_t i = 0; i < whole; i += 8) s.compress(load64(message.data() + i));
    std::uint64_t last = std::uint64_t{message.size()} << 56;
    for (std::size_t i = whole; i < message.size(); ++i) last |= std::uint64_t{message[i]} << 8 * (i - whole);
    s.compress(last);
    s.v2 ^= 0xff;
    s.round(), s.round(), s.round(), s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

} // namespace fairway::dns
