#include "probes/glue/tls_verdict.hpp"

#include <openssl/ssl.h>

namespace fairway::probes {

namespace {

thread_local long last_verdict = X509_V_OK;

void note(void* ssl, void*, CRYPTO_EX_DATA*, int, long, void*) noexcept {
    if (ssl) last_verdict = SSL_get_verify_result(static_cast<const SSL*>(ssl));
}

} // namespace

void remember_tls_verdicts() {
    [[maybe_unused]] static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &note);
}

bool last_certificate_expired() { return last_verdict == X509_V_ERR_CERT_HAS_EXPIRED; }

} // namespace fairway::probes
