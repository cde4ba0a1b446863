// A connection to talk on, plain or TLS, for the kinds that speak a protocol of lines.
#pragma once

#include "probes/checks/check.hpp"
#include "probes/glue/stream.hpp"

#include <optional>
#include <string>

namespace fairway::probes {

struct Opened {
    std::optional<Stream> stream; ///< none: `problem` says why
    Finding problem;
};

/// Keeps `at.silence`. Where `tls` is null, plain. `name` is sent and verified; empty: the target's name, or
/// its address.
Task<Opened> open_stream(Look at, const TlsSettings* tls, std::string name);

/// Writes `request`; then at.silence is timeout_first_byte.
Task<Heard> say(Stream& stream, Look at, std::string request);

} // namespace fairway::probes
