// An explanation as it is told: of the daemon's answer, or of a configuration alone.
#pragma once

#include "policies/report.hpp"

#include <string>

namespace fairway::daemon {

std::string to_json(const policies::Explanation& e);

} // namespace fairway::daemon
