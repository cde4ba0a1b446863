// The words of the closed lists: what log, metrics, status and manual call them.
#include "policies/report.hpp"
#include "policies/runbook.hpp"
#include "policies/transition.hpp"

#include <array>

namespace fairway::policies {

namespace {
template<std::size_t n, class E> std::string_view word(const std::array<std::string_view, n>& words, E e) {
    return words[static_cast<std::size_t>(e)];
}
} // namespace

std::string_view to_string(Severity s) {
    static constexpr std::array<std::string_view, 3> words{"info", "warning", "critical"};
    return word(words, s);
}

std::string_view to_string(Readiness r) {
    static constexpr std::array<std::string_view, 3> words{"undecided", "ready", "unready"};
    return word(words, r);
}

std::string_view to_string(SwitchCause c) {
    static constexpr std::array<std::string_view, 6> words{"primary gone",       "application down",
                                                           "site down",          "failover requested",
                                                           "failback requested", "move requested"};
    return word(words, c);
}

std::string_view to_string(SwitchStep s) {
    static constexpr std::array<std::string_view, 11> words{
        "awaiting approval", "announce",       "prepare",     "fence", "promote", "failback",
        "await role",        "after failover", "old answers", "done",  "obsolete"};
    return word(words, s);
}

std::string_view to_string(Change c) {
    static constexpr auto words = std::to_array<std::string_view>({"member-up",
                                                                   "member-down",
                                                                   "member-held",
                                                                   "endpoint-fit",
                                                                   "endpoint-unfit",
                                                                   "endpoint-braked",
                                                                   "endpoint-suppressed",
                                                                   "endpoint-pressed",
                                                                   "endpoint-degraded",
                                                                   "endpoint-share",
                                                                   "load-shed",
                                                                   "partial-failure",
                                                                   "served",
                                                                   "undecided-over",
                                                                   "plan-changed",
                                                                   "all-down",
                                                                   "all-down-over",
                                                                   "failover",
                                                                   "failback",
                                                                   "awaiting-failback",
                                                                   "primary-followed",
                                                                   "no-primary",
                                                                   "no-primary-critical",
                                                                   "no-primary-over",
                                                                   "two-primaries",
                                                                   "two-primaries-over",
                                                                   "stale-claim",
                                                                   "self-doubt",
                                                                   "self-doubt-over",
                                                                   "references-silent",
                                                                   "references-answer",
                                                                   "switch-started",
                                                                   "switch-step",
                                                                   "switch-waiting",
                                                                   "switch-done",
                                                                   "switch-failed",
                                                                   "switch-obsolete",
                                                                   "rejoin-started",
                                                                   "rejoin-ended",
                                                                   "rejoin-failed",
                                                                   "group-held",
                                                                   "group-free",
                                                                   "diverging",
                                                                   "diverging-over",
                                                                   "redundancy-lost",
                                                                   "redundancy-back",
                                                                   "objectives-missed",
                                                                   "objectives-met",
                                                                   "override-set",
                                                                   "override-ended",
                                                                   "override-expired",
                                                                   "drill-started",
                                                                   "drill-ended",
                                                                   "store-failed",
                                                                   "store-recovered",
                                                                   "state-set-aside",
                                                                   "alias-changed",
                                                                   "alias-failing",
                                                                   "alias-resolves",
                                                                   "configuration-loaded",
                                                                   "configuration-refused"});
    static_assert(words.size() == static_cast<std::size_t>(Change::configuration_refused) + 1);
    return word(words, c);
}

} // namespace fairway::policies
