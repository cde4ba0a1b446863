// HTTP/1.1 without TLS, which most checks are: one request on a socket of ours, read by http_parser.
//
// curl does it too, and better than anybody else all that is hard (TLS, HTTP/2); but for a request without
// either its generality costs more than the request itself, and checks are many (tests/bench/health.py).
#pragma once

#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/http.hpp"

#include <map>
#include <vector>

namespace fairway::probes {

/// Belongs to its loop's thread; outlives its requests.
class PlainHttp {
  public:
    /// Of connections to be reused, at most so many are kept at once.
    PlainHttp(Loop& loop, std::size_t kept) : loop_(loop), limit_(kept) {}

    /// Neither TLS nor HTTP/2, and no headers are to be kept.
    static bool speaks(const HttpRequest& r);

    /// `silence` as with Curl::perform.
    Task<HttpAnswer> perform(HttpRequest request, Reason& silence);

    void forget(); ///< closes what is kept

  private:
    Socket take(const SocketAddress& to);
    void keep(const SocketAddress& to, Socket connection);
    Loop& loop_;
    std::size_t limit_, kept_ = 0;
    std::map<SocketAddress, std::vector<Socket>> idle_; // the last is the youngest
};

} // namespace fairway::probes
