// One thread on one UDP socket: receives a batch, answers it, sends it, and begins again.
//
// There is one for each core and each address listened on; the kernel spreads clients over the sockets of one
// address. All memory is taken at the start.
#pragma once

#include "dns/counters.hpp"
#include "dns/handover.hpp"
#include "dns/sockets.hpp"

#include <memory>
#include <thread>

namespace fairway::dns {

class UdpWorker {
  public:
    /// Starts at once. `handover` has a snapshot already. `workers`: how many share the address, and with it
    /// the rates of response rate limiting.
    UdpWorker(Socket socket, Handover& handover, unsigned workers, std::uint64_t seed);
    ~UdpWorker(); ///< stops within the batch at hand

    /// Stops likewise, but leaves the socket to whoever has it, too: what waits in it is theirs. leave()
    /// asks, left() waits for it, a second at most.
    void leave();
    void left();
    const Socket& socket() const;

    const Counters& counters() const;

  private:
    struct Loop;
    std::unique_ptr<Loop> loop_;
    std::thread thread_;
};

} // namespace fairway::dns
