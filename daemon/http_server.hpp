// A small HTTP server on a listening socket of ours; libmicrohttpd stands behind it in one source.
//
// It runs threads of its own, which call the handler; the handler may wait, but not for long.
#pragma once

#include "daemon/fd.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace fairway::daemon {

struct HttpRequest {
    std::string method, path, body;
    std::map<std::string, std::string> query;
    std::map<std::string, std::string> headers; ///< by name in lower case
    int connection = -1;                        ///< the socket: for the peer's credentials
    std::string peer;                           ///< its address; empty over a Unix socket
    std::string bearer; ///< the token of `Authorization: Bearer`, RFC 6750; empty: none
};

struct HttpResponse {
    int status = 200;
    std::string body;
    std::string type = "application/json";
    /// A body without an end: each call waits for the next part, an empty one ends it. Called in the
    /// connection's thread.
    std::function<std::string()> more{};
};

/// A certificate chain and its key, PEM. TLS 1.2 and 1.3 are spoken.
struct HttpTls {
    std::string certificate, key;
};

struct HttpLimits {
    std::size_t body = 64 * 1024; ///< the largest command is some hundred bytes
    unsigned connections = 64;    ///< beyond it new ones are closed at once
    unsigned per_address = 16;    ///< of one client's: half-open ones of one stranger leave room for the rest
    unsigned idle_seconds = 30;   ///< for the whole of a request to arrive
};

class HttpServer {
  public:
    using Handler = std::function<HttpResponse(const HttpRequest&)>; ///< called in several threads at a time

    /// Throws std::runtime_error. Over TLS if there is a certificate.
    HttpServer(Fd listening, Handler handler, HttpLimits limits = {}, const HttpTls& tls = {});
    ~HttpServer(); ///< ends what is under way; other descriptors of the same socket go on listening

    int listening() const; ///< the descriptor it listens on; stays its own
    /// Takes no new connections; other descriptors of the same socket do. Those there are go on.
    void stop_accepting();
    unsigned connections() const;

    /// Takes no new connections, and waits until those there are have ended, at most so long or until told to
    /// stop. To be called once, in any thread.
    void finish(std::chrono::milliseconds at_most, const std::stop_token& stop);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace fairway::daemon
