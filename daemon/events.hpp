// Live changes over HTTP: GET /v1/events, server-sent events (HTML, section 9.2).
//
//     id: 17
//     event: transition
//     data: {"id":42,"change":"failover",...}
//
// All streams read one ring of the newest events, each at its own place: a reader costs a number, and one
// that falls out of the ring is dropped. Who comes back with Last-Event-ID goes on where it was, if that is
// still in the ring. publish() never waits for a reader.
#pragma once

#include "daemon/http_server.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace fairway::daemon {

class Events {
  public:
    static constexpr std::size_t kept = 1024;                    ///< events: some megabytes in the worst hour
    static constexpr unsigned most_streams = 16;                 ///< each holds a connection and its thread
    static constexpr unsigned most_per_peer = 6;                 ///< browsers open as many to one server
    static constexpr unsigned most_local = 16; ///< over the control socket, whatever strangers hold
    static constexpr std::chrono::milliseconds heartbeat{15000}; ///< a comment, so that dead ones are found

    explicit Events(std::chrono::milliseconds beat = heartbeat);

    /// `event` is a word, `data` one line of JSON. Any thread.
    void publish(std::string_view event, std::string_view data);

    /// A stream, or 503 where there are too many. Any thread.
    HttpResponse stream(const HttpRequest& request);

    void close(); ///< ends all streams; no new ones
    unsigned streams() const;

  private:
    struct Ring;
    class Reader;
    std::shared_ptr<Ring> ring_;
};

} // namespace fairway::daemon
