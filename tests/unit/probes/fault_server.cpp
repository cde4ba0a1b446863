#include "tests/unit/probes/fault_server.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <map>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace fairway::testing {

namespace {

void must(bool ok, const char* what) {
    if (!ok) throw std::runtime_error(what);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a.sin_port = htons(port);
    return a;
}

int bound(std::uint16_t& port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;
    must(bind(fd, reinterpret_cast<sockaddr*>(&a), size) == 0, "bind");
    must(getsockname(fd, reinterpret_cast<sockaddr*>(&a), &size) == 0, "getsockname");
    port = ntohs(a.sin_port);
    return fd;
}

SSL* ssl(const std::shared_ptr<void>& p) { return static_cast<SSL*>(p.get()); }

} // namespace

Peer::~Peer() {
    tls_.reset();
    if (fd_ >= 0) close(fd_);
}

namespace {

using Context = std::shared_ptr<SSL_CTX>;

int agree_to_http2(SSL*, const unsigned char** out, unsigned char* size, const unsigned char*, unsigned,
                   void*) {
    *out = reinterpret_cast<const unsigned char*>("h2");
    *size = 2;
    return SSL_TLSEXT_ERR_OK;
}

void certify(SSL_CTX* context, const Certificate& c) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> cert(BIO_new_mem_buf(c.cert_pem.data(), -1), &BIO_free);
    const std::unique_ptr<BIO, decltype(&BIO_free)> key(BIO_new_mem_buf(c.key_pem.data(), -1), &BIO_free);
    X509* x = PEM_read_bio_X509(cert.get(), nullptr, nullptr, nullptr);
    EVP_PKEY* k = PEM_read_bio_PrivateKey(key.get(), nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, x);
    SSL_CTX_use_PrivateKey(context, k);
    X509_free(x);
    EVP_PKEY_free(k);
}

/// One for each certificate, as a server has it: sessions are resumed within a context.
Context context_of(const Certificate& c, const std::string& client_ca, bool http2) {
    static std::mutex mutex;
    static std::map<std::string, Context> contexts;
    const std::lock_guard lock(mutex);
    Context& context = contexts[c.cert_pem + client_ca + (http2 ? "2" : "1")];
    if (context) return context;
    context.reset(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
    certify(context.get(), c);
    SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>("test"), 4);
    if (http2) SSL_CTX_set_alpn_select_cb(context.get(), &agree_to_http2, nullptr);
    if (client_ca.empty()) return context;
    SSL_CTX_load_verify_file(context.get(), client_ca.c_str());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    return context;
}

} // namespace

bool Peer::start_tls(const Certificate& c, const std::string& client_ca, bool http2) {
    const Context context = context_of(c, client_ca, http2);
    tls_ = std::shared_ptr<void>(SSL_new(context.get()), [](void* p) { SSL_free(static_cast<SSL*>(p)); });
    SSL_set_fd(ssl(tls_), fd_);
    return SSL_accept(ssl(tls_)) == 1;
}

std::string Peer::read_some() {
    std::array<char, 4096> buffer{};
    const auto n = tls_ ? SSL_read(ssl(tls_), buffer.data(), static_cast<int>(buffer.size()))
                        : recv(fd_, buffer.data(), buffer.size(), 0);
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string();
}

std::string Peer::read(std::size_t bytes) {
    std::string got(bytes, '\0');
    std::size_t done = 0;
    while (done < bytes) {
        const auto n = tls_ ? SSL_read(ssl(tls_), got.data() + done, static_cast<int>(bytes - done))
                            : recv(fd_, got.data() + done, bytes - done, 0);
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    got.resize(done);
    return got;
}

std::string Peer::read_until(std::string_view mark) {
    std::string got;
    while (got.find(mark) == std::string::npos) {
        const std::string more = read_some();
        if (more.empty()) break;
        got += more;
    }
    return got;
}

void Peer::write(std::string_view text) {
    if (tls_) {
        SSL_write(ssl(tls_), text.data(), static_cast<int>(text.size()));
        return;
    }
    while (!text.empty()) {
        const ssize_t n = send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(n));
    }
}

std::size_t Peer::flood(std::string_view piece, std::size_t bytes) {
    std::size_t taken = 0;
    const timeval patience{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    while (taken < bytes) {
        const auto n = tls_ ? SSL_write(ssl(tls_), piece.data(), static_cast<int>(piece.size()))
                            : static_cast<int>(send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL));
        if (n <= 0) break;
        taken += static_cast<std::size_t>(n);
    }
    return taken;
}

void Peer::drip(std::string_view text) {
    for (const char& c : text) {
        pollfd gone{fd_, POLLRDHUP, 0};
        if (poll(&gone, 1, 100) != 0) return;
        write({&c, 1});
    }
}

void Peer::half_close() { shutdown(fd_, SHUT_WR); }

std::string Peer::address() const {
    sockaddr_in a{};
    socklen_t size = sizeof a;
    std::array<char, INET_ADDRSTRLEN> text{};
    getpeername(fd_, reinterpret_cast<sockaddr*>(&a), &size);
    return inet_ntop(AF_INET, &a.sin_addr, text.data(), text.size());
}

bool Peer::resumed() const { return tls_ && SSL_session_reused(ssl(tls_)); }

void Peer::finish() { close(std::exchange(fd_, -1)); }

void Peer::reset() {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(std::exchange(fd_, -1));
}

bool Peer::ended() {
    std::array<char, 4096> buffer{};
    ssize_t n = 0;
    while ((n = recv(fd_, buffer.data(), buffer.size(), 0)) > 0) {}
    return n == 0;
}

FaultServer::FaultServer(Serve serve) : serve_(std::move(serve)), listener_(bound(port_)) {
    must(listen(listener_, 64) == 0, "listen");
    thread_ = std::thread([this] { run(); });
}

FaultServer::~FaultServer() {
    shutdown(listener_, SHUT_RDWR); // accept() returns
    thread_.join();
    close(listener_);
}

void FaultServer::run() {
    for (;;) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) return;
        ++accepted_;
        const timeval patience{2, 0};
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        peers_.push_back(std::make_unique<Peer>(fd));
        serve_(*peers_.back());
    }
}

DatagramServer::DatagramServer(Serve serve, std::uint16_t port) : serve_(std::move(serve)) {
    fd_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in a = loopback(port);
    socklen_t size = sizeof a;
    must(bind(fd_, reinterpret_cast<sockaddr*>(&a), size) == 0, "bind");
    must(getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size) == 0, "getsockname");
    port_ = ntohs(a.sin_port);
    thread_ = std::thread([this] {
        std::array<char, 4096> buffer{};
        for (;;) {
            sockaddr_in from{};
            socklen_t length = sizeof from;
            const ssize_t n =
                recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
            if (n <= 0) return; // shut down
            const std::string answer = serve_(std::string(buffer.data(), static_cast<std::size_t>(n)));
            if (answer.empty()) continue;
            sendto(fd_, answer.data(), answer.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
        }
    });
}

DatagramServer::~DatagramServer() {
    shutdown(fd_, SHUT_RD); // recvfrom() returns, though the call itself complains
    thread_.join();
    close(fd_);
}

DeadPort::DeadPort(Kind kind) {
    fds_.push_back(bound(port_)); // bound and not listening refuses
    if (kind == Kind::refusing) return;
    must(listen(fds_[0], 0) == 0, "listen");
    for (int i = 0; i < 3; ++i) { // a queue of one: the next ones' SYN is dropped
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const sockaddr_in a = loopback(port_);
        [[maybe_unused]] const int pending = connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a);
        fds_.push_back(fd);
    }
}

DeadPort::~DeadPort() {
    for (const int fd : fds_) close(fd);
}

// ---- certificates

namespace {

using Key = std::shared_ptr<EVP_PKEY>;
using Cert = std::shared_ptr<X509>;

Key new_key() { return {EVP_EC_gen("P-256"), &EVP_PKEY_free}; }

void extend(X509* x, int nid, const std::string& value) {
    X509_EXTENSION* e = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

Cert certify(const std::string& name, EVP_PKEY* subject, X509* issuer, EVP_PKEY* issuer_key, long seconds) {
    static std::atomic<long> serial{1};
    Cert x(X509_new(), &X509_free);
    X509_set_version(x.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x.get()), seconds);
    X509_set_pubkey(x.get(), subject);
    X509_NAME* n = X509_get_subject_name(x.get());
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()),
                               -1, -1, 0);
    X509_set_issuer_name(x.get(), issuer ? X509_get_subject_name(issuer) : n);
    if (issuer) extend(x.get(), NID_subject_alt_name, "DNS:" + name);
    else extend(x.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x.get(), issuer_key, EVP_sha256());
    return x;
}

template<class F> std::string pem(F write) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), &BIO_free);
    write(bio.get());
    char* data = nullptr;
    const long n = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(n)};
}

Certificate to_pem(X509* x, EVP_PKEY* k) {
    return {pem([x](BIO* b) { PEM_write_bio_X509(b, x); }),
            pem([k](BIO* b) { PEM_write_bio_PrivateKey(b, k, nullptr, nullptr, 0, nullptr, nullptr); })};
}

} // namespace

Authority::Authority() {
    const Key key = new_key();
    const Cert cert = certify("fairway test authority", key.get(), nullptr, key.get(), 86400);
    key_ = key;
    cert_ = cert;
    std::array<char, 64> path{"/tmp/fairway-test-ca-XXXXXX"};
    const int fd = mkstemp(path.data());
    must(fd >= 0, "mkstemp");
    file_ = path.data();
    const std::string text = to_pem(cert.get(), key.get()).cert_pem;
    must(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()), "write");
    close(fd);
}

Authority::~Authority() { unlink(file_.c_str()); }

Certificate Authority::issue(const std::string& name, long seconds) const {
    const Key key = new_key();
    auto* issuer = static_cast<X509*>(cert_.get());
    const Cert cert = certify(name, key.get(), issuer, static_cast<EVP_PKEY*>(key_.get()), seconds);
    return to_pem(cert.get(), key.get());
}

Certificate Authority::self_signed(const std::string& name) const {
    const Key key = new_key();
    const Cert cert = certify(name, key.get(), nullptr, key.get(), 86400);
    return to_pem(cert.get(), key.get());
}

} // namespace fairway::testing
