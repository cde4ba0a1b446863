// From plans to the DNS workers: keeps every service's plan, compiles what changed, hands the snapshot over.
//
// Belongs to the control thread, but for counts().
#pragma once

#include "daemon/loader.hpp"
#include "daemon/metrics.hpp"
#include "dns/random.hpp"
#include "dns/server.hpp"
#include "policies/engine.hpp"

namespace fairway::daemon {

class DnsFront {
  public:
    /// Binds every address and answers at once, with the plans of `first`: so a restart changes no answer
    /// (L20). Throws std::runtime_error with a line for each address that cannot be had.
    /// `tell` hears of addresses that come and go; from a thread of the server's.
    DnsFront(Loaded loaded, const policies::Engine& first, std::uint64_t generation, dns::Server::Tell tell,
             dns::GivenSockets& given);

    /// The names of a new configuration, for the publication that follows.
    void adopt(Loaded next);
    void publish(std::span<const ServiceIndex> changed, const policies::Engine& engine,
                 std::uint64_t generation);
    void reap() { server_->reap(); } ///< now and then

    /// What a client is answered now, on the wire; without an address one of nowhere. RFC 1035 section 4.1.
    std::vector<std::uint8_t> ask(const Name& name, std::uint16_t type, std::optional<IpAddress> client);

    const dns::SnapshotPtr& snapshot() const { return snapshot_; } ///< what is answered now

    DnsCounts counts() const; ///< any thread
    /// Responses held back by rate since it last said so, which it does once a minute at most; else 0.
    std::uint64_t newly_limited(Instant now);
    std::vector<dns::Socket> sockets() const { return server_->sockets(); }
    void leave() {
        server_->leave();
    } ///< reads no more; what is asked over TCP connections there are goes on
    std::vector<SocketAddress> addresses() const { return server_->addresses(); }

  private:
    void take(std::span<const ServiceIndex> changed, const policies::Engine& engine,
              std::uint64_t generation);

    dns::SnapshotPtr snapshot_;
    std::vector<AnswerPlan> plans_; ///< by ServiceIndex
    std::unique_ptr<dns::Server> server_;
    dns::Random random_{0};       ///< for ask() alone, which nobody could guess anything from
    std::uint64_t limited_ = 0;   ///< as newly_limited() last told it, and ...
    std::optional<Instant> told_; ///< ... when
};

} // namespace fairway::daemon
