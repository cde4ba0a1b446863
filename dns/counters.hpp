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

/// The limit by which a TCP connection was closed.
enum class TcpEnd : std::uint8_t {
    idle,   ///< no whole query in time, or its answers not taken
    total,  ///< as old as one may become
    slow,   ///< answers waiting beyond what all clients together may leave
    crowd,  ///< the quietest of all, to make room
    client, ///< one too many of its client
    junk    ///< no DNS, or longer than any query
};
inline constexpr std::size_t tcp_ends = 6;

/// Sums at one moment, as metrics show them.
struct Counts {
    static constexpr std::size_t rcodes = 24; ///< up to BADCOOKIE (23)
    std::uint64_t queries = 0;                ///< whatever arrived
    std::uint64_t silent = 0;                 ///< got no answer: not a query at all
    std::array<std::uint64_t, rcodes> by_rcode{};
    std::uint64_t truncated = 0;
    std::uint64_t send_errors = 0;            ///< answers the kernel would not take
    std::array<std::uint64_t, 4> by_cookie{}; ///< queries, by CookieState
    std::array<std::uint64_t, RateLimitSettings::classes> slipped{}, dropped{}; ///< by the class limited
    std::uint64_t connections = 0, ended = 0;     ///< TCP: accepted, and no longer there
    std::array<std::uint64_t, tcp_ends> closed{}; ///< TCP: by TcpEnd

    Counts& operator+=(const Counts& o);
};

/// Aligned so that two workers never share a cache line.
struct alignas(64) Counters {
    Counter queries, silent, truncated, send_errors, connections, ended;
    std::array<Counter, Counts::rcodes> by_rcode;
    std::array<Counter, 4> by_cookie;
    std::array<Counter, RateLimitSettings::classes> slipped, dropped;
    std::array<Counter, tcp_ends> closed;

    void count(const Reply& reply) noexcept {
        if (reply.limited)
            (reply.size ? slipped : dropped)[static_cast<std::size_t>(reply.limited_as)].add(1);
        if (reply.cookie != CookieState::none) by_cookie[static_cast<std::size_t>(reply.cookie)].add(1);
        if (reply.size == 0) {
            if (!reply.limited) silent.add(1);
            return;
        }
        by_rcode[static_cast<std::size_t>(reply.rcode)].add(1);
        if (reply.truncated) truncated.add(1);
    }
    Counts read() const;
};

} // namespace fairway::dns
