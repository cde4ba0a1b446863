// The DNS front of a node: workers on every address listened on, fed with snapshots.
//
// Owned by the daemon's wiring. start() and the destructor belong to one thread; publish() to whoever
// decides; counts() to anybody.
#pragma once

#include "config/model.hpp"
#include "dns/tcp_front.hpp"
#include "dns/udp_worker.hpp"

namespace fairway::dns {

class Server {
  public:
    struct Started;
    /// Binds every address of `settings` for UDP and TCP and answers from `first` on. 0.0.0.0 and [::] stand
    /// for the addresses there are now; later changes are not followed yet. Port 0 takes a free one, the same
    /// for UDP and TCP.
    static Started start(const DnsSettings& settings, SnapshotPtr first);
    ~Server(); ///< what has been received is answered, then everything is closed

    /// False: its generation is not above the one served.
    bool publish(SnapshotPtr snapshot) { return handover_.publish(std::move(snapshot)); }
    std::uint64_t generation() const { return handover_.generation(); }
    void reap() { handover_.reap(); } ///< frees replaced snapshots; now and then, by the publisher

    const std::vector<SocketAddress>& addresses() const { return addresses_; } ///< as bound
    struct TransportCounts {
        Counts udp, tcp;
    };
    TransportCounts counts() const;

  private:
    Server() = default;
    struct Bound;
    static std::vector<std::string> bind_all(const DnsSettings& settings, unsigned workers, Bound& bound);

    Handover handover_;
    std::vector<SocketAddress> addresses_;
    std::vector<std::unique_ptr<UdpWorker>> workers_;
    std::unique_ptr<TcpFront> tcp_;
};

/// A server, or every reason why there is none, each naming an address and what to do.
struct Server::Started {
    std::unique_ptr<Server> server;
    std::vector<std::string> problems;
};

} // namespace fairway::dns
