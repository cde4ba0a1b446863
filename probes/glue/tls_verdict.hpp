// What OpenSSL thought of the other side's certificate, for libraries that do not hand it on.
#pragma once

namespace fairway::probes {

/// From now on each thread remembers the verdict of the last TLS connection it put away. Any thread, any
/// number of times.
void remember_tls_verdicts();

/// Whether that one's certificate, or one in its chain, had expired. To be asked before the thread goes on to
/// another.
bool last_certificate_expired();

} // namespace fairway::probes
