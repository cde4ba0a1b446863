#include "policies/observation.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace fairway {

std::string_view to_string(Outcome o) {
    static constexpr std::array<std::string_view, 4> words{"pass", "degraded", "fail", "unknown"};
    return words[static_cast<std::size_t>(o)];
}

std::string_view to_string(Reason r) {
    static constexpr std::array<std::string_view, 31> words{"ok",
                                                            "expiring_certificate",
                                                            "timeout_connect",
                                                            "timeout_tls",
                                                            "timeout_first_byte",
                                                            "timeout_body",
                                                            "unreachable",
                                                            "refused",
                                                            "reset",
                                                            "closed",
                                                            "bad_certificate",
                                                            "expired_certificate",
                                                            "wrong_name",
                                                            "tls_failure",
                                                            "wrong_status",
                                                            "body_mismatch",
                                                            "oversize_body",
                                                            "redirect",
                                                            "bad_response",
                                                            "auth_failure",
                                                            "starting",
                                                            "role",
                                                            "lag",
                                                            "no_quorum",
                                                            "read_only",
                                                            "reported_down",
                                                            "resolve_failure",
                                                            "no_route",
                                                            "local_limit",
                                                            "no_data",
                                                            "internal"};
    static_assert(words.size() == static_cast<std::size_t>(Reason::internal) + 1);
    return words[static_cast<std::size_t>(r)];
}

bool is_silence(Reason r) { return r >= Reason::timeout_connect && r <= Reason::unreachable; }

namespace {

std::string decimal(double d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", d);
    return text.data();
}

} // namespace

std::string Facts::to_string() const {
    std::string text;
    auto add = [&](std::string_view key, const std::string& value) {
        if (!text.empty()) text += ' ';
        text.append(key).append("=").append(value);
    };
    if (role) add("role", *role == Role::primary ? "primary" : "standby");
    if (quorum) add("quorum", *quorum ? "yes" : "no");
    if (read_only) add("read_only", *read_only ? "yes" : "no");
    if (epoch) add("epoch", std::to_string(*epoch));
    if (position) add("position", std::to_string(*position));
    if (lag) add("lag", brief(*lag));
    if (replicates) add("replicates", *replicates ? "yes" : "no");
    if (behind) add("behind", brief(*behind));
    if (weight) add("weight", std::to_string(std::lround(*weight * 100)) + "%");
    if (load) add("load", decimal(*load));
    if (certificate_ends)
        add("certificate_ends", fairway::to_string(*certificate_ends).substr(0, 10)); // its day
    if (!system.empty()) add("system", system);
    return text;
}

std::optional<double> reported_load(const Observation& seen, const Check& check) {
    if (seen.facts.load) return seen.facts.load;
    const bool agent = std::holds_alternative<AgentCheck>(check.kind);
    return agent && seen.facts.weight ? std::optional(1 - *seen.facts.weight) : std::nullopt;
}

namespace {

/// A result that counts like a failure for the rhythm: it failed, or its facts break what the check asks of
/// them.
bool looks_bad(const Observation& seen, const Requirements& want) {
    if (seen.outcome == Outcome::fail) return true;
    const Facts& f = seen.facts;
    if (want.role && f.role && f.role != want.role) return true;
    if (want.quorum && f.quorum == false) return true;
    return want.max_lag && f.lag && *f.lag > *want.max_lag;
}

} // namespace

std::optional<Duration> next_look(Cadence& cadence, const Observation& seen, const Check& check) {
    if (seen.outcome == Outcome::unknown) return std::nullopt;
    const bool bad = looks_bad(seen, check.requirements), answered = seen.answered();
    cadence.fails = bad ? cadence.fails + 1 : 0;

    // A role gained is looked at once more, a role lost as often as a failure is (L1).
    bool lost = answered && cadence.role == Role::primary && seen.facts.role != Role::primary;
    bool gained = seen.facts.role == Role::primary && cadence.role != Role::primary;
    if (gained) cadence.confirmations = 1;
    else if (lost) cadence.confirmations = check.timing.fall - 1;
    else if (cadence.confirmations > 0) --cadence.confirmations;
    if (answered) cadence.role = seen.facts.role;

    bool quick = (bad && cadence.fails < check.timing.fall) || cadence.confirmations > 0;
    return quick ? std::optional(check.timing.retest) : std::nullopt;
}

} // namespace fairway
