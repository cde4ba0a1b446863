// Readiness: what the members of an endpoint come to, as a three-valued verdict a tier (Kleene logic).
#pragma once

#include "policies/binding.hpp"
#include "policies/lag.hpp"
#include "policies/member.hpp"

#include <functional>
#include <span>
#include <vector>

namespace fairway::policies {

/// A member as the engine keeps it; its index is its MemberSlot.
struct MemberState {
    MemberId id = 0;
    ProbeSpec spec;
    MemberHealth health;
    std::optional<DatacenterIndex> datacenter; ///< unset: a reference
    std::optional<Lag> lag;                    ///< of a standby, reckoned (L16)
    std::optional<double> load;                ///< as it was said last
    Instant load_at{};                         ///< end of the look that said it
    std::optional<std::uint64_t> position;     ///< of its log, as it said last
    std::optional<Instant> advanced;           ///< when that had last grown: it was written to
    LagMemory lags;                            ///< what it was lately
    std::optional<Instant> unlinked;    ///< takes writes, and since then says that others' do not reach it
    std::vector<ServiceIndex> services; ///< that depend on it
};

/// What the checks of one endpoint say.
struct Assessment {
    Readiness application = Readiness::ready, stateful = Readiness::ready; ///< ready where there is no check
    std::vector<bool> healthy;                                             ///< per address: may be answered
    bool lost_v4 = false; ///< its IPv6 works, none of its IPv4 does (L11)
    bool lost_v6 = false; ///< its IPv4 works, none of its IPv6 does
};

/// `evaluate` gives the verdict of a check. Operands with `required: false` are passed over.
Readiness evaluate(const Expression& e, const std::function<Readiness(CheckIndex)>& verdict);

/// How strictly members are measured.
enum class Measure : std::uint8_t {
    verdict, ///< works, and its facts satisfy the check
    lenient, ///< lag does not take a serving endpoint of an eventually consistent store out (L1)
    passing, ///< its latest result passes, whatever the verdict: neither rise nor hold-down are waited for
    whole,   ///< as `verdict`, and what is degraded does not count as working
    risen,   ///< `rise` passes are enough, the hold-down is not waited for: nothing else is fit (L10)
};

Assessment assess(const Service& s, const Endpoint& e, const BoundEndpoint& bound,
                  std::span<const MemberState> members, Measure measure);

/// Ready, and would not be if what is degraded counted as failing: works, and ranks behind.
bool is_degraded(const Service& s, const Endpoint& e, const BoundEndpoint& bound,
                 std::span<const MemberState> members);

/// The share of its traffic that an endpoint asks for, 0 to 1: the mean of what the members of one check say,
/// the least of several checks. Who says nothing asks for all of it; 0 is drained.
double share_of(const BoundEndpoint& bound, std::span<const MemberState> members);

/// The member whose state explains best why the endpoint is not ready; null if none is to blame.
const MemberState* culprit(const BoundEndpoint& bound, std::span<const MemberState> members);

} // namespace fairway::policies
