#include "dns/rate_limit.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace fairway::dns {
namespace {

// 65,536 buckets, 1 MiB a worker: more networks than one worker's clients come from in a second. Whoever
// forges more than that pushes out the emptiest buckets, which are not those of the network it aims at.
constexpr std::size_t sets = 16'384, ways = 4;
// How much may come at once after a silence: what the rate allows in this time.
constexpr std::chrono::nanoseconds burst = std::chrono::seconds(1);

bool exempt(const RateLimitSettings& settings, const IpAddress& client) noexcept {
    return std::ranges::any_of(settings.exempt, [&](const Prefix& p) { return p.contains(client); });
}

} // namespace

struct RateLimiter::Set {
    Bucket buckets[ways]; // one cache line
};

void RateLimiter::Free::operator()(Set* memory) const noexcept { std::free(memory); }

RateLimiter::RateLimiter(unsigned workers, std::uint64_t seed)
    : workers_(workers),
      random_(seed),
      sets_(static_cast<Set*>(std::calloc(sets, sizeof(Set)))) { // zero pages, not there until touched
    if (!sets_) throw std::bad_alloc();
    for (std::size_t i = 0; i < secret_.size(); i += 8) {
        const std::uint64_t word = random_.next();
        std::memcpy(&secret_[i], &word, 8);
    }
}

RateLimitSettings::Class class_of(const Reply& reply, const std::uint8_t* message) noexcept {
    using Class = RateLimitSettings::Class;
    if (reply.rcode == Rcode::nxdomain) return Class::nxdomain;
    if (reply.rcode != Rcode::noerror) return Class::error;
    if (reply.truncated || get16(message + 6)) return Class::answer;
    return get16(message + 2) & flag::aa ? Class::nodata : Class::referral;
}

std::uint64_t RateLimiter::key_of(const RateLimitSettings& settings, const IpAddress& client,
                                  RateLimitSettings::Class c) const noexcept {
    const bool v4 = client.family == Family::v4;
    const unsigned length = v4 ? settings.ipv4_length : settings.ipv6_length;
    std::uint8_t input[18]{};
    std::memcpy(input, client.bytes.data(), (length + 7) / 8);
    if (length % 8) input[length / 8] &= static_cast<std::uint8_t>(0xff << (8 - length % 8));
    input[16] = static_cast<std::uint8_t>(c);
    input[17] = v4;
    return siphash(secret_, input);
}

// The virtual scheduling form of the leaky bucket (ITU-T I.371): one number says how full it is.
bool RateLimiter::grant(std::uint64_t key, Clock::duration each, Clock::time_point now) noexcept {
    Set& set = sets_[key % sets];
    Bucket* bucket = std::ranges::find(set.buckets, key, &Bucket::key);
    if (bucket == std::end(set.buckets)) {
        bucket = std::ranges::min_element(set.buckets, {}, &Bucket::due);
        *bucket = {key, 0};
    }
    const Clock::rep at = now.time_since_epoch().count();
    const Clock::rep due = std::max(bucket->due, at) + each.count();
    if (due - at > std::max<Clock::rep>(burst.count(), each.count())) return false;
    bucket->due = due;
    return true;
}

Reply RateLimiter::limit(const Reply& reply, const Query& query, Bytes message, const Snapshot& snapshot,
                         const Client& client, Clock::time_point now, std::span<std::uint8_t> out) noexcept {
    const RateLimitSettings& settings = snapshot.fixed->settings.rate_limit;
    if (reply.size == 0 || reply.cookie == CookieState::good) return reply;
    const auto c = class_of(reply, out.data());
    const unsigned rate = settings.rates[static_cast<std::size_t>(c)];
    if (rate == 0 || exempt(settings, client.address)) return reply;
    const Clock::duration each = std::chrono::nanoseconds(std::chrono::seconds(workers_)) / rate;
    if (grant(key_of(settings, client.address, c), each, now)) return reply;
    Reply instead; // nothing
    if (settings.slip && random_.next() % settings.slip == 0)
        instead = slip(query, message, snapshot, client, out);
    instead.limited = true;
    instead.limited_as = c;
    return instead;
}

} // namespace fairway::dns
