// A small HTTP server on a listening socket of ours; libmicrohttpd stands behind it in one source.
//
// It runs threads of its own, which call the handler; the handler may wait, but not for long.
#pragma once

#include "daemon/fd.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace fairway::daemon {

struct HttpRequest {
    std::string method, path, body;
    std::map<std::string, std::string> query;
    int connection = -1; ///< the socket: for the peer's credentials
};

struct HttpResponse {
    int status = 200;
    std::string body;
    std::string type = "application/json";
};

struct HttpLimits {
    std::size_t body = 64 * 1024; ///< the largest command is some hundred bytes
    unsigned connections = 32;    ///< beyond it new ones are closed at once
    unsigned per_address = 8;     ///< of one client's: half-open ones of one stranger leave room for the rest
    unsigned idle_seconds = 30;   ///< for the whole of a request to arrive
};

class HttpServer {
  public:
    using Handler = std::function<HttpResponse(const HttpRequest&)>; ///< called in several threads at a time

    HttpServer(Fd listening, Handler handler, HttpLimits limits = {}); ///< throws std::runtime_error
    ~HttpServer();                                                     ///< waits for the requests under way

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace fairway::daemon
