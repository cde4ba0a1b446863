// What tcp and tls say on a connection that stands, and what must then come.
#pragma once

#include "probes/checks/check.hpp"
#include "probes/glue/stream.hpp"

namespace fairway::probes {

/// `stands` is what is told if nothing is expected.
Task<Finding> talk(const Exchange& exchange, Stream& stream, std::string stands, Reason& silence);

} // namespace fairway::probes
