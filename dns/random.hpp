// The generator that draws answers: small, seeded, one a worker. Not for secrets.
#pragma once

#include <cstdint>

namespace fairway::dns {

__extension__ using uint128 = unsigned __int128;

/// Sebastiano Vigna's splitmix64: a counter and a mix, so every seed is a good one.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() noexcept {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

  private:
    std::uint64_t state_;
};

} // namespace fairway::dns
