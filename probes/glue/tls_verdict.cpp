#include "probes/glue/tls_verdict.hpp"

#include <openssl/ssl.h>

namespace fairway::probes {

void TlsVerdict::of(void* ssl) {
    if (!ssl || ssl == ssl_.get()) return;
    SSL_up_ref(static_cast<SSL*>(ssl));
    ssl_ = std::shared_ptr<void>(ssl, [](void* p) { SSL_free(static_cast<SSL*>(p)); });
}

bool TlsVerdict::expired() const {
    return ssl_ && SSL_get_verify_result(static_cast<SSL*>(ssl_.get())) == X509_V_ERR_CERT_HAS_EXPIRED;
}

} // namespace fairway::probes
