// What a worker counts. One writer each, any number of readers; the reader sums over workers.
#pragma once

#include "dns/answer.hpp"

#include <array>
#include <atomic>

namespace fairway::dns {

/// A number only its worker changes, so that an ordinary load and store will do.
class Counter {
  public:
    void add(std::uint64_t n) noexcept {
        value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Sums at one moment, as metrics show them.
struct Counts {
    static constexpr std::size_t rcodes = 24; ///< up to BADCOOKIE (23)
    std::uint64_t queries = 0;                ///< whatever arrived
    std::uint64_t silent = 0;                 ///< got no answer: not a query at all
    std::array<std::uint64_t, rcodes> by_rcode{};
    std::uint64_t truncated = 0;
    std::uint64_t send_errors = 0;     ///< answers the kernel would not take
    std::uint64_t connections = 0;     ///< TCP: accepted
    std::uint64_t closed_by_limit = 0; ///< TCP: idle, too old, too slow, or one too many

    Counts& operator+=(const Counts& o);
};

/// Aligned so that two workers never share a cache line.
struct alignas(64) Counters {
    Counter queries, silent, truncated, send_errors, connections, closed_by_limit;
    std::array<Counter, Counts::rcodes> by_rcode;

    void count(const Reply& reply) noexcept {
        if (reply.size == 0) return silent.add(1);
        by_rcode[static_cast<std::size_t>(reply.rcode)].add(1);
        if (reply.truncated) truncated.add(1);
    }
    Counts read() const;
};

} // namespace fairway::dns
