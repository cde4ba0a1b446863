// A connection to talk on, plain or TLS, and what OpenSSL thinks of the other side's certificate.
#pragma once

#include "config/check_kinds.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/socket.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fairway::probes {

/// What came of talking. A read that is ok and empty is the other side's end.
struct Heard {
    Reason reason = Reason::ok;
    std::string detail; ///< of `reason`
    std::string text;
};

/// What TLS connections of one thread share: certificates to trust, read once for each settings, and
/// sessions.
///
/// A session is resumed where the server allows, for at most a minute: a resumed handshake shows no
/// certificate, so one that has gone bad would stay unseen for as long.
class TlsClient {
  public:
    TlsClient();
    ~TlsClient();  ///< after all streams that use it
    void forget(); ///< reads the files anew from now on

    struct Impl;

  private:
    friend class Stream;
    std::unique_ptr<Impl> impl_;
};
constexpr Duration resumed_for = 60s;
constexpr std::size_t sessions_kept = 4096; // at some KB each; then they are learnt anew

class Stream {
  public:
    Stream(Loop& loop, Socket connected, const SocketAddress& to);
    Stream(Stream&&) noexcept;
    ~Stream();

    /// `name` is sent as SNI and verified; an address is only verified.
    Task<Heard> start_tls(TlsClient& client, const TlsSettings& settings, std::string name);
    Task<Heard> write(std::string text);
    Task<Heard> read(); ///< at most 4 KiB

    /// When the other side's certificate ends; nothing without TLS.
    std::optional<WallTime> certificate_ends() const;
    bool resumed() const;

    /// Ends in order: says so, hears the other side out for at most a second and 64 KiB.
    static Task<void> close(Stream stream);

    struct Tls; ///< OpenSSL's side of it, in the source

  private:
    Heard failure(int result) const;
    Loop* loop_;
    Socket socket_;
    SocketAddress to_;
    std::unique_ptr<Tls> tls_; ///< null: plain
};

/// When a peer's certificate ends, of an SSL* that a library hands out.
std::optional<WallTime> certificate_ends_of(void* ssl);

/// From now on each thread remembers the verdict of the last TLS connection it put away, for libraries that
/// do not hand it on. Any thread, any number of times.
void remember_tls_verdicts();

/// Whether that one's certificate was refused, and whether because it, or one in its chain, had expired. To
/// be asked before the thread goes on to another.
bool last_certificate_refused();
bool last_certificate_expired();

} // namespace fairway::probes
