// DNS over TCP (RFC 7766): one thread with a libuv loop for all listening sockets, apart from the UDP
// workers, so that a flood of either leaves the other alone.
#pragma once

#include "dns/counters.hpp"
#include "dns/handover.hpp"
#include "dns/sockets.hpp"

#include <chrono>
#include <memory>
#include <thread>

namespace fairway::dns {

struct TcpLimits {
    /// At once. The one that has been quiet longest makes room for the next.
    std::size_t connections = 4000;
    /// Without a whole query, or with answers the client does not take. RFC 7766 section 6.2.3: "a few
    /// seconds".
    std::chrono::milliseconds idle{10'000};
    /// However busy: a client that means well comes again.
    std::chrono::milliseconds total{300'000};
    /// Answers waiting for a slow reader; beyond it nothing more is read from that client. A message or two.
    std::size_t backlog = 128 * 1024;
};

class TcpFront {
  public:
    /// Listens on `sockets`, which are bound, at once. `handover` has a snapshot already.
    TcpFront(std::vector<Socket> sockets, Handover& handover, TcpLimits limits, std::uint64_t seed);
    ~TcpFront();

    const std::string& problem() const { return problem_; } ///< why listening failed, or empty
    const Counters& counters() const;

  private:
    struct Loop;
    std::unique_ptr<Loop> loop_;
    std::string problem_;
    std::thread thread_;
};

} // namespace fairway::dns
