// DNS over TCP (RFC 7766): one thread with a libuv loop for all listening sockets, apart from the UDP
// workers, so that a flood of either leaves the other alone.
//
// Its limits (TcpSettings) come with the snapshot. Memory is bounded by them: a connection holds at most the
// start of one query and some answers its client has not taken, all of them together no more than
// `most_waiting` of the latter.
#pragma once

#include "dns/counters.hpp"
#include "dns/handover.hpp"
#include "dns/sockets.hpp"

#include <memory>
#include <thread>

namespace fairway::dns {

class TcpFront {
  public:
    /// `handover` has a snapshot already.
    TcpFront(Handover& handover, std::uint64_t seed);
    ~TcpFront();

    /// Listens on `socket`, which is bound. Why that failed, or empty. Any thread, as remove().
    std::string add(Socket socket);
    /// No longer accepts on `address`; the connections there are go on.
    void remove(const SocketAddress& address);

    /// Descriptors of our own of all sockets listened on. Any thread, as leave().
    std::vector<Socket> sockets();
    /// Accepts no more; the connections there are go on, and whoever has the sockets, too, gets the new ones.
    void leave();

    const Counters& counters() const;

  private:
    struct Loop;
    std::unique_ptr<Loop> loop_;
    std::thread thread_;
};

} // namespace fairway::dns
