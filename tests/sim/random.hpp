// Seeded randomness: the same seed gives the same story on every machine.
#pragma once

#include "config/time.hpp"

#include <cstdint>
#include <vector>

namespace fairway::sim {

/// splitmix64 (Steele, Lea, Flood 2014): small, and defined by its text, unlike the standard's distributions.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t n) {
        return next() % n;
    } ///< the bias is far below what a story could see
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
    bool chance(double p) { return unit() < p; }
    Duration between(Duration low, Duration high) {
        return low + Duration(below(static_cast<std::uint64_t>((high - low).count()) + 1));
    }
    template<typename T> T& pick(std::vector<T>& from) { return from[below(from.size())]; }
    Random fork() { return Random(next()); }

  private:
    std::uint64_t state_;
};

} // namespace fairway::sim
