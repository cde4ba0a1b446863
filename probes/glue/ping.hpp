// ICMP echo: one socket a family for all targets of a thread.
#pragma once

#include "config/address.hpp"
#include "policies/observation.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <memory>
#include <optional>
#include <string>

namespace fairway::probes {

struct Echo {
    Reason reason = Reason::ok; ///< other than ok: no reply will come
    std::string detail;
};

/// Belongs to its loop's thread. The sockets are made at the first use: an unprivileged ping socket where
/// net.ipv4.ping_group_range allows it (icmp(7)), else a raw one, which needs CAP_NET_RAW.
class Ping {
  public:
    explicit Ping(Loop& loop);
    ~Ping(); ///< after all its requests

    /// Sends one request, and waits for its reply or for an error that a router sends. Destroying the task
    /// gives it up.
    Task<Echo> echo(IpAddress to, std::optional<IpAddress> from);

    struct Impl;

  private:
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::probes
