// Publications, those that wait for the store and those that do not.
//
// What rests on something durable waits behind its write; a service that waits is not published by the way.
// What is published is always the engine's newest plan, so no older plan ever goes over a newer one. Belongs
// to the control loop.
#pragma once

#include "daemon/controller.hpp"

#include <deque>
#include <set>

namespace fairway::daemon {

class Publisher {
  public:
    using Ticket = std::uint64_t;

    Publisher(Loop& loop, const Outlets& outlets, std::uint64_t generation)
        : loop_(loop), outlets_(outlets), generation_(generation) {}

    /// Queues the services' plans, and the transitions that explain them, behind those already waiting.
    Ticket queue(std::vector<ServiceIndex> plans, std::vector<Happening> causes);

    /// Publishes these now, but for services that wait: they go with what they wait for. `urgent` ones go at
    /// once.
    void publish(std::vector<ServiceIndex> plans, const std::vector<ServiceIndex>& urgent,
                 std::vector<Happening> causes, const policies::Engine& engine);

    /// After a reload the services are numbered anew: whatever waits becomes all of them, and what goes next
    /// is published even if there is no service at all.
    void renumber(const std::vector<ServiceIndex>& all);

    /// Publishes everything queued up to and with `ticket`; nothing if it is out already.
    void release(Ticket ticket, const policies::Engine& engine);

    std::uint64_t generation() const { return generation_; }
    /// Its first plan waits here: nothing was published of it yet.
    bool awaits_first(ServiceIndex s) const { return held(s) && !out_.contains(s); }

  private:
    void send(const std::set<ServiceIndex>& plans, std::vector<Happening> causes,
              const policies::Engine& engine);
    bool held(ServiceIndex s) const;
    bool waits(Ticket ticket) const { return !waiting_.empty() && waiting_.front().ticket <= ticket; }

    struct Waiting {
        Ticket ticket;
        std::vector<ServiceIndex> plans;
        std::vector<Happening> causes;
    };
    Loop& loop_;
    const Outlets& outlets_;
    std::uint64_t generation_;
    Ticket last_ = 0;
    bool new_names_ = false;      ///< since the last publication
    std::set<ServiceIndex> out_;  ///< published at least once
    std::deque<Waiting> waiting_; ///< by ticket
};

} // namespace fairway::daemon
