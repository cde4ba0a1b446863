// The one word for the state that something is in: a label of metrics and a word of pages.
#pragma once

#include "policies/report.hpp"

namespace fairway::daemon {

std::string member_state(const policies::MemberReport& m); ///< up, down, held, undecided
std::string
endpoint_state(const policies::EndpointReport& e); ///< fit, unfit, excluded, braked, suppressed, undecided

} // namespace fairway::daemon
