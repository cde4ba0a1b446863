// Names to addresses by c-ares on our Loop: /etc/hosts, the servers of /etc/resolv.conf, numeric text.
#pragma once

#include "config/address.hpp"
#include "config/time.hpp"
#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fairway::probes {

struct Resolution {
    std::vector<IpAddress> addresses; ///< both families; empty: it failed
    Duration ttl{};                   ///< the smallest; zero where there is none (/etc/hosts)
    std::string error;                ///< for people
    bool answered = false;            ///< we were told, be it that there is no address or no such name
};

/// Belongs to its loop's thread. A task that is destroyed abandons its query; the answer then finds nobody.
class Resolver {
  public:
    explicit Resolver(
        Loop& loop); ///< reads /etc/resolv.conf; throws std::runtime_error if c-ares cannot start
    ~Resolver();
    Task<Resolution> resolve(std::string name);
    Task<Resolution> resolve(std::string name, Family family); ///< addresses of one family

    /// Reads /etc/resolv.conf anew. Queries under way fail (c-ares 1.18 has no other way).
    void reload();

    struct Impl;

  private:
    Task<Resolution> ask(std::string name, int family);
    Loop& loop_;
    std::unique_ptr<Impl> impl_;
};

} // namespace fairway::probes
