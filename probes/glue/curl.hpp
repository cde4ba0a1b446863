// HTTP by libcurl's multi-socket interface on our Loop: one Curl a loop, any number of requests at once.
//
// curl speaks TLS and HTTP over a connection that we made: it never resolves, never connects, never follows a
// redirect; a proxy on the way is asked before it comes to curl. Its callbacks only note and post; the task
// that waits goes on in a turn of its own.
#pragma once

#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"
#include "probes/glue/http.hpp"

#include <memory>

namespace fairway::probes {

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
