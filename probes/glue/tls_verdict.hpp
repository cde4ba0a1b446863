// What OpenSSL thought of the other side's certificate, for libraries that do not hand it on.
#pragma once

#include <memory>

namespace fairway::probes {

/// Keeps the SSL object beyond the library's own use of it. One handshake's; any single thread.
class TlsVerdict {
  public:
    void of(void* ssl); ///< an SSL*, or null: then the last one stays
    bool expired() const;

  private:
    std::shared_ptr<void> ssl_;
};

} // namespace fairway::probes
