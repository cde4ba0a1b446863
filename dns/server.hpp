// The DNS front of a node: workers on every address listened on, fed with snapshots.
//
// Owned by the daemon's wiring. start() and the destructor belong to one thread; publish() to whoever
// decides; counts() and addresses() to anybody. Where all addresses are listened on, those that come and go
// are followed by a thread of its own.
#pragma once

#include "config/model.hpp"
#include "dns/address_watch.hpp"
#include "dns/tcp_front.hpp"
#include "dns/udp_worker.hpp"

#include <functional>
#include <mutex>

namespace fairway::dns {

class Server {
  public:
    struct Started;
    /// An address that has come or gone, or cannot be served; from a thread of the server's.
    struct Notice {
        enum class Kind { added, removed, problem };
        Kind kind;
        std::string text; ///< the address, or what is wrong with which
    };
    using Tell = std::function<void(const Notice&)>;

    /// Binds every address of `settings` for UDP and TCP and answers from `first` on. 0.0.0.0 and [::] stand
    /// for the addresses there are, now and later. Port 0 takes a free one, the same for UDP and TCP.
    /// What is `given` is not bound again: all of an address' UDP sockets are read from, however many threads
    /// are configured, so that no query waits in one that nobody reads.
    static Started start(const DnsSettings& settings, SnapshotPtr first, Tell tell = nullptr,
                         GivenSockets* given = nullptr);
    ~Server(); ///< what has been received is answered, then everything is closed

    /// False: its generation is not above the one served.
    bool publish(SnapshotPtr snapshot) { return handover_.publish(std::move(snapshot)); }
    std::uint64_t generation() const { return handover_.generation(); }
    void reap() { handover_.reap(); } ///< frees replaced snapshots; now and then, by the publisher

    std::vector<SocketAddress> addresses() const; ///< as bound
    std::vector<Socket> sockets() const;          ///< all that are listened on, for another process
    /// Reads and accepts no more, which takes a second at most, and leaves the sockets to those who have
    /// them, too. TCP connections go on; the counts stay.
    void leave();
    struct TransportCounts {
        Counts udp, tcp;
    };
    TransportCounts counts() const;

  private:
    struct Sockets;
    struct Front; // of one address
    Server(const DnsSettings& settings, SnapshotPtr first, Tell tell);
    void serve(Sockets sockets);
    void follow();
    void drop_missing(const std::vector<SocketAddress>& present);
    void add_new(const std::vector<SocketAddress>& present);

    const std::vector<SocketAddress> wildcards_;
    const unsigned threads_;
    const Tell tell_;
    Handover handover_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Front>> fronts_;
    Counts retired_; // of workers that are no more
    std::unique_ptr<TcpFront> tcp_;
    std::unique_ptr<AddressWatch> watch_; // last: it ends first
};

/// A server, or every reason why there is none, each naming an address and what to do.
struct Server::Started {
    std::unique_ptr<Server> server;
    std::vector<std::string> problems;
};

} // namespace fairway::dns
