// A request by HTTP, and what came of it, whoever carries it: plain_http, or curl where there is TLS or
// HTTP/2.
#pragma once

#include "config/check.hpp"
#include "policies/observation.hpp"
#include "probes/glue/socket.hpp"

#include <functional>
#include <map>
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

} // namespace fairway::probes
