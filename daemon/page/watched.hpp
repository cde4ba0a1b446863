// Which members a service rests on: those that look for it, at its addresses or targets, under its name.
#pragma once

#include "policies/engine.hpp"

#include <set>
#include <span>

namespace fairway::daemon::page {

std::set<MemberId> members_of(const Model& model, const Service& service,
                              std::span<const policies::Member> all);

} // namespace fairway::daemon::page
