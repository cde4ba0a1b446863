// HTTP by libcurl's multi-socket interface on our Loop: one Curl a loop, any number of requests at once.
//
// curl speaks TLS and HTTP over a connection that we made: it never resolves, never connects, never follows a
// redirect; a proxy on the way is asked before it comes to curl. Its callbacks only note and post; the task
// that waits goes on in a turn of its own.
#pragma once

#include "config/check.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/socket.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairway::probes {

struct HttpRequest {
    std::string url; ///< its host is the name asked for by SNI and verified in the certificate
    std::string method = "GET";
    std::vector<std::string> headers; ///< "Name: value"
    std::string body{};
    SocketAddress address; ///< where to connect
    Route route{};
    TlsSettings tls;
    bool http2 = false;
    bool reuse = false;                        ///< take a kept connection if there is one, and keep this one
    std::size_t body_limit = 0;                ///< bytes; more is not read
    std::vector<std::string> keep{};           ///< headers and trailers of the answer to keep, in lower case
    std::function<Reason(int status)> judge{}; ///< ok, or why this status is not accepted
};

struct HttpAnswer {
    Reason reason = Reason::ok; ///< other than ok: no answer was got, or not a whole one
    std::string detail;         ///< of `reason`
    int status = 0;             ///< 0: none came
    std::string location;       ///< where a redirect leads, absolute
    std::map<std::string, std::string> kept;
    std::string body;
    bool cut = false; ///< there was more body than the limit
    std::optional<WallTime> certificate_ends;
};

class Curl {
  public:
    /// Of connections to be reused, at most so many are kept at once.
    explicit Curl(Loop& loop, std::size_t kept = 1024);
    ~Curl(); ///< after all its requests

    /// `silence` is kept at what a timeout would mean: connecting, TLS, first byte, body, or the status once
    /// that has spoken.
    Task<HttpAnswer> perform(HttpRequest request, Reason& silence);

    struct Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::probes
