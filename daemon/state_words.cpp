#include "daemon/state_words.hpp"

namespace fairway::daemon {

using namespace policies;

std::string member_state(const MemberReport& m) {
    if (m.held) return "held";
    switch (m.verdict) {
    case Readiness::ready: return "up";
    case Readiness::unready: return "down";
    case Readiness::undecided: break;
    }
    return "undecided";
}

std::string endpoint_state(const EndpointReport& e) {
    if (e.excluded) return "excluded";
    if (e.braked) return "braked";
    if (e.suppressed) return "suppressed";
    if (e.fit) return "fit";
    const bool undecided = (e.application == Readiness::undecided || e.stateful == Readiness::undecided) &&
                           e.application != Readiness::unready && e.stateful != Readiness::unready;
    return undecided ? "undecided" : "unfit";
}

} // namespace fairway::daemon
