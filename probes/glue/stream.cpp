#include "probes/glue/stream.hpp"

#include "probes/async/race.hpp"
#include "probes/async/wait.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <sys/socket.h>
#include <tuple>

namespace fairway::probes {

namespace {

using Context = std::unique_ptr<SSL_CTX, decltype([](SSL_CTX* c) { SSL_CTX_free(c); })>;
using Handle = std::unique_ptr<SSL, decltype([](SSL* s) { SSL_free(s); })>;
using Session = std::unique_ptr<SSL_SESSION, decltype([](SSL_SESSION* s) { SSL_SESSION_free(s); })>;

constexpr std::size_t read_size = 4096;
constexpr std::size_t hear_out = 65536; // bytes of what a peer still says after our goodbye

struct Kept {
    Session session;
    Instant full; ///< its full handshake
};

int index_of_tls() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

thread_local long last_verdict = X509_V_OK;

void note_verdict(void* ssl, void*, CRYPTO_EX_DATA*, int, long, void*) noexcept {
    if (ssl) last_verdict = SSL_get_verify_result(static_cast<const SSL*>(ssl));
}

std::string openssl_text() {
    const unsigned long e = ERR_peek_last_error();
    const char* text = e ? ERR_reason_error_string(e) : nullptr;
    return text ? text : "TLS";
}

Reason reason_of_verdict(long verdict) {
    switch (verdict) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return Reason::expired_certificate;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return Reason::wrong_name;
    default: return Reason::bad_certificate;
    }
}

} // namespace

struct TlsClient::Impl {
    using Settings = std::tuple<TlsSettings::Verify, std::string, std::string, std::string>;
    std::map<Settings, Context> contexts;
    std::map<std::string, Kept> sessions;

    SSL_CTX* context(const TlsSettings& s); ///< null: its files cannot be read
    void keep(const std::string& with, SSL_SESSION* session, Instant full);
};

struct Stream::Tls {
    TlsClient::Impl& client;
    Handle ssl;
    std::string with{}; ///< whom a session can be resumed with
    Instant full{};     ///< the full handshake it goes back to
    SSL* get() const { return ssl.get(); }
};

namespace {

int new_session(SSL* ssl, SSL_SESSION* session) noexcept {
    const auto* tls = static_cast<Stream::Tls*>(SSL_get_ex_data(ssl, index_of_tls()));
    tls->client.keep(tls->with, session, tls->full);
    return 1; // the reference is ours now
}

bool load(SSL_CTX* c, const TlsSettings& s) {
    const bool trust = s.ca_file.empty() ? SSL_CTX_set_default_verify_paths(c) == 1
                                         : SSL_CTX_load_verify_file(c, s.ca_file.c_str()) == 1;
    const bool own =
        s.cert_file.empty() || (SSL_CTX_use_certificate_chain_file(c, s.cert_file.c_str()) == 1 &&
                                SSL_CTX_use_PrivateKey_file(c, s.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
    return (trust || s.verify == TlsSettings::Verify::none) && own;
}

} // namespace

SSL_CTX* TlsClient::Impl::context(const TlsSettings& s) {
    Context& c = contexts[{s.verify, s.ca_file, s.cert_file, s.key_file}];
    if (c) return c.get();
    Context fresh(SSL_CTX_new(TLS_client_method()));
    if (!fresh || !load(fresh.get(), s)) return nullptr;
    SSL_CTX_set_verify(fresh.get(), s.verify == TlsSettings::Verify::none ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                       nullptr);
    SSL_CTX_set_session_cache_mode(fresh.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(fresh.get(), &new_session);
    c = std::move(fresh);
    return c.get();
}

void TlsClient::Impl::keep(const std::string& with, SSL_SESSION* session, Instant full) {
    Kept kept{Session(session), full};
    if (sessions.size() >= sessions_kept) sessions.clear();
    sessions.insert_or_assign(with, std::move(kept));
}

TlsClient::TlsClient() : impl_(std::make_unique<Impl>()) {}
TlsClient::~TlsClient() = default;

void TlsClient::forget() {
    impl_->contexts.clear(); // those in use live on in their connections
    impl_->sessions.clear();
}

Stream::Stream(Loop& loop, Socket connected, const SocketAddress& to)
    : loop_(&loop), socket_(std::move(connected)), to_(to) {}
Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream() = default;

/// What the last call meant, if it was no success and nothing to wait for.
Heard Stream::failure(int result) const {
    const int saved = errno;
    const int error = SSL_get_error(tls_->get(), result);
    Heard h;
    if (error == SSL_ERROR_SYSCALL && saved != 0) {
        h.reason = reason_of_errno(saved, to_);
        h.detail = std::strerror(saved);
    } else if (const long verdict = SSL_get_verify_result(tls_->get());
               ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
        h.reason = reason_of_verdict(verdict);
        h.detail = X509_verify_cert_error_string(verdict);
    } else if (error == SSL_ERROR_SYSCALL ||
               ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        h.reason = Reason::closed;
        h.detail = "ended without a goodbye";
    } else {
        h.reason = Reason::tls_failure;
        h.detail = openssl_text();
    }
    return h;
}

namespace {

/// What a call that has not succeeded waits for; none: nothing.
unsigned wanted(const SSL* ssl, int result) {
    const int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_WANT_READ) return Loop::readable;
    return error == SSL_ERROR_WANT_WRITE ? Loop::writable : Loop::none;
}

void expect_name(SSL* ssl, const std::string& name) {
    const auto ip = IpAddress::parse(name);
    if (ip) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    else SSL_set1_host(ssl, name.c_str());
}

} // namespace

Task<Heard> Stream::start_tls(TlsClient& client, const TlsSettings& settings, std::string name) {
    Heard heard;
    ERR_clear_error();
    SSL_CTX* context = client.impl_->context(settings);
    if (!context) {
        heard.reason = Reason::internal;
        heard.detail = "a certificate file cannot be used: " + openssl_text();
        co_return heard;
    }
    tls_ = std::make_unique<Tls>(Tls{*client.impl_, Handle(SSL_new(context))});
    SSL* ssl = tls_->get();
    tls_->with = to_.to_string() + ' ' + name + ' ' +
                 std::to_string(reinterpret_cast<std::uintptr_t>(context)); // what is believed is part of it
    tls_->full = loop_->now().mono;
    SSL_set_ex_data(ssl, index_of_tls(), tls_.get());
    SSL_set_fd(ssl, socket_.fd());
    if (!IpAddress::parse(name)) SSL_set_tlsext_host_name(ssl, name.c_str());
    if (settings.verify == TlsSettings::Verify::full) expect_name(ssl, name);
    const auto kept = client.impl_->sessions.find(tls_->with);
    const bool fresh = kept != client.impl_->sessions.end() && tls_->full - kept->second.full < resumed_for;
    const Instant before = fresh ? kept->second.full : tls_->full;
    if (fresh) SSL_set_session(ssl, kept->second.session.get());

    for (;;) {
        ERR_clear_error();
        errno = 0;
        const int n = SSL_connect(ssl);
        if (n == 1) break;
        const unsigned events = wanted(ssl, n);
        if (events == Loop::none) co_return failure(n);
        co_await Ready(*loop_, socket_.fd(), events);
    }
    if (SSL_session_reused(ssl)) tls_->full = before;
    co_return heard;
}

Task<Heard> Stream::write(std::string text) {
    Heard heard;
    for (std::size_t done = 0; done < text.size();) {
        const auto left = text.size() - done;
        ERR_clear_error();
        errno = 0;
        const auto n = tls_ ? SSL_write(tls_->get(), text.data() + done, static_cast<int>(left))
                            : static_cast<int>(send(socket_.fd(), text.data() + done, left, MSG_NOSIGNAL));
        if (n > 0) {
            done += static_cast<std::size_t>(n);
            continue;
        }
        const unsigned events = tls_              ? wanted(tls_->get(), n)
                                : errno == EAGAIN ? unsigned{Loop::writable}
                                                  : 0U;
        if (events == Loop::none) {
            if (tls_) co_return failure(n);
            heard.reason = reason_of_errno(errno, to_);
            heard.detail = std::strerror(errno);
            co_return heard;
        }
        co_await Ready(*loop_, socket_.fd(), events);
    }
    co_return heard;
}

Task<Heard> Stream::read() {
    Heard heard;
    std::array<char, read_size> buffer;
    for (;;) {
        ERR_clear_error();
        errno = 0;
        const auto n = tls_ ? SSL_read(tls_->get(), buffer.data(), static_cast<int>(buffer.size()))
                            : static_cast<int>(recv(socket_.fd(), buffer.data(), buffer.size(), 0));
        if (n > 0) {
            heard.text.assign(buffer.data(), static_cast<std::size_t>(n));
            co_return heard;
        }
        const bool said_goodbye = tls_ && SSL_get_error(tls_->get(), n) == SSL_ERROR_ZERO_RETURN;
        if (said_goodbye || (!tls_ && n == 0)) co_return heard;
        const unsigned events = tls_              ? wanted(tls_->get(), n)
                                : errno == EAGAIN ? unsigned{Loop::readable}
                                                  : 0U;
        if (events == Loop::none) {
            if (tls_) co_return failure(n);
            heard.reason = reason_of_errno(errno, to_);
            heard.detail = std::strerror(errno);
            co_return heard;
        }
        co_await Ready(*loop_, socket_.fd(), events);
    }
}

std::optional<WallTime> Stream::certificate_ends() const {
    return tls_ ? certificate_ends_of(tls_->get()) : std::nullopt;
}

bool Stream::resumed() const { return tls_ && SSL_session_reused(tls_->get()) == 1; }

/// Under TLS the rest is read as TLS: the tickets that a session is resumed with come after the handshake.
Task<void> Stream::close(Stream stream) {
    Loop& loop = *stream.loop_;
    ERR_clear_error();
    if (stream.tls_ && SSL_shutdown(stream.tls_->get()) < 0) co_return;
    if (shutdown(stream.socket_.fd(), SHUT_WR) != 0) co_return;
    const Instant limit = loop.now().mono + 1s;
    for (std::size_t heard = 0; heard < hear_out;) {
        Task<Heard> reading = stream.read();
        Task<std::optional<Heard>> limited = with_deadline(loop, limit, std::move(reading));
        const std::optional<Heard> more = co_await limited;
        if (!more || more->text.empty()) co_return;
        heard += more->text.size();
    }
}

std::optional<WallTime> certificate_ends_of(void* ssl) {
    const X509* x = ssl ? SSL_get0_peer_certificate(static_cast<const SSL*>(ssl)) : nullptr;
    std::tm t{};
    if (!x || ASN1_TIME_to_tm(X509_get0_notAfter(x), &t) != 1) return std::nullopt;
    return WallTime(std::chrono::seconds(timegm(&t)));
}

void remember_tls_verdicts() {
    [[maybe_unused]] static const int index =
        SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &note_verdict);
}

bool last_certificate_refused() { return last_verdict != X509_V_OK; }
bool last_certificate_expired() { return last_verdict == X509_V_ERR_CERT_HAS_EXPIRED; }

} // namespace fairway::probes
