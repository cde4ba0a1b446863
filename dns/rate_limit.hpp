// Response rate limiting: what a forged source address draws from us is bounded, for each client network and
// class of response.
//
// Each UDP worker has one of its own, so that it needs neither lock nor shared cache line, and grants its
// share of the rate: the kernel spreads a client's ports over the workers. Memory is taken at the start and
// never grows; until limiting is switched on its pages are not touched.
#pragma once

#include "dns/answer.hpp"
#include "dns/siphash.hpp"

#include <chrono>
#include <memory>

namespace fairway::dns {

class RateLimiter {
  public:
    using Clock = std::chrono::steady_clock;

    /// One of `workers` that share the rates.
    RateLimiter(unsigned workers, std::uint64_t seed);

    /// What is sent instead of `reply`, which answer() has just written to `out`: itself within the rate and
    /// to those who are exempt (by network, by a good cookie), else slip() or nothing. UDP only; limiting is
    /// on.
    Reply limit(const Reply& reply, const Query& query, Bytes message, const Snapshot& snapshot,
                const Client& client, Clock::time_point now, std::span<std::uint8_t> out) noexcept;

  private:
    // When so many responses as have been granted would have been due at the rate: 0 for a free bucket.
    struct Bucket {
        std::uint64_t key;
        Clock::rep due;
    };
    struct Set;
    struct Free {
        void operator()(Set* sets) const noexcept;
    };
    bool grant(std::uint64_t key, Clock::duration each, Clock::time_point now) noexcept;
    std::uint64_t key_of(const RateLimitSettings& settings, const IpAddress& client,
                         RateLimitSettings::Class c) const noexcept;

    unsigned workers_;
    Random random_;
    SipKey secret_;
    std::unique_ptr<Set[], Free> sets_;
};

/// By the response's code and what is in its sections.
RateLimitSettings::Class class_of(const Reply& reply, const std::uint8_t* message) noexcept;

} // namespace fairway::dns
