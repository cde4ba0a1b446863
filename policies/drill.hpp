// A drill (P14): the loss of a datacenter is played to the real decision, while the site goes on working.
//
// What is seen of its members is replaced by silence at the control's edge; everything behind that is real,
// verdicts and answers. It lasts as an override does, so that it ends in time whoever is gone, and is over at
// once when anything real happens. Then the members are what they truly are, of which account was kept. It
// promotes nothing and runs no hook unless that was asked for: a service that would need one is told and stays.
#pragma once

#include "policies/member.hpp"
#include "policies/report.hpp"

#include <map>
#include <set>

namespace fairway::policies {

struct DrillState {
    DrillReport report;
    std::map<MemberId, MemberHealth> truth; ///< what the site's members really are
    std::set<std::string> down_before;      ///< services that had nothing fit when it began
    bool over = false;
};

/// What the look would have seen were its target lost: silence, which takes as long as the check has
/// patience; of what is only heard of a site (push, prometheus) nothing.
Observation as_lost(const Observation& truth, const Check& check);

} // namespace fairway::policies
