// What a reload would change, as the control API tells it.
#pragma once

#include "daemon/prospect.hpp"
#include "policies/answer_changes.hpp"

namespace fairway::daemon {

/// Of one that loads.
std::string to_json(const Prospect& prospect, const policies::AnswerChanges& answers);

/// Of one that does not. A problem of another file than `file` is counted and not shown: what the daemon may
/// read, whoever asks need not be allowed to.
std::string refused_json(const Prospect& prospect, const std::string& file);

} // namespace fairway::daemon
