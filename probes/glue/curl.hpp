// HTTP by libcurl's multi-socket interface on our Loop: one Curl a loop, any number of requests at once.
//
// curl speaks TLS and HTTP over a connection that we made: it never resolves, never connects, never follows a
// redirect and asks no proxy. Its callbacks only note and post; the task that waits goes on in a turn of its
// own.
#pragma once

#include "config/check.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/socket.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fairway::probes {

struct HttpRequest {
    std::string url; ///< its host is the name asked for by SNI and verified in the certificate
    std::string method;
    std::vector<std::string> headers; ///< "Name: value"
    SocketAddress address;            ///< of the connection, for curl's records
    TlsSettings tls;
    std::size_t body_limit = 0;                ///< bytes; more is not read
    std::function<Reason(int status)> judge{}; ///< ok, or why this status is not accepted
};

struct HttpAnswer {
    Reason reason = Reason::ok; ///< other than ok: no answer was got, or not a whole one
    std::string detail;         ///< of `reason`
    int status = 0;             ///< 0: none came
    std::string location;       ///< where a redirect leads
    std::string body;
    bool cut = false; ///< there was more body than the limit
};

class Curl {
  public:
    explicit Curl(Loop& loop);
    ~Curl(); ///< after all its requests

    /// `silence` is kept at what a timeout would mean: TLS, first byte, body, or the status once that has
    /// spoken.
    Task<HttpAnswer> perform(HttpRequest request, Socket connected, Reason& silence);

    struct Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::probes
