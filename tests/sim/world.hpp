// The simulated world: sites with their targets, the lines between them, and what a probe would see of it
// all.
//
// It knows nothing of Fairway but the check kinds. A story breaks and mends it; the simulated prober asks it.
#pragma once

#include "config/model.hpp"
#include "policies/observation.hpp"
#include "tests/sim/database.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace fairway::sim {

/// What a target says to a probe.
struct Sight {
    Outcome outcome = Outcome::pass;
    Reason reason = Reason::ok;
    std::string detail;
    Facts facts;
    bool silent = false; ///< it takes as long as the prober has patience
    void into(Observation& seen) const;
};

/// A datacenter, seen from this node and from its peers.
struct Site {
    std::string name;
    bool alive = true;                ///< false: everything in it is off, and stays as it was
    bool reachable = true;            ///< false: it lives, but no packet of ours comes back
    bool unreachable_at_once = false; ///< a router says EHOSTUNREACH instead of nothing
    Duration rtt = 10ms;
    std::set<std::string> cut_from; ///< sites its line to which is cut
};

/// Something that a probe is aimed at. Works until the story says otherwise.
struct Target {
    std::string name;     ///< "192.0.2.10:8080"
    Site* site = nullptr; ///< null: outside (a reference)
    Database* database = nullptr;
    std::optional<Sight>
        says; ///< what it answers instead of working (an application), or beside it (a database)
    std::function<Sight()> script; ///< asked at each look, before `says`
    std::uint64_t looks = 0;       ///< how often somebody looked
    Duration slow{};               ///< beyond the round trips
};

/// What name servers of others say of a name that an endpoint has for its `alias`.
struct ForeignName {
    std::vector<IpAddress> addresses;
    Duration ttl = 30s;
    bool v4_fails = false, v6_fails = false; ///< no answer of this family
};

class World {
  public:
    World(const Timeline& timeline, ModelPtr model);

    // ---- what stories change; call settle() after touching a Site by hand
    Site& site(const std::string& name);
    std::map<std::string, Site>& sites() { return sites_; }
    Target& target(const std::string& name); ///< by "address:port"
    std::vector<Target*> applications(const std::string& site);
    std::vector<Target*> targets(const std::string& site); ///< empty: outside
    Database& database(const std::string& site, std::size_t which = 0);
    std::deque<Cluster>& clusters() { return clusters_; }
    Cluster& cluster_of(const Service& service);
    void cut(const std::string& a, const std::string& b);
    void mend(const std::string& a, const std::string& b);
    void settle();
    std::map<std::string, ForeignName> names; ///< others do not exist
    bool uplink = true;                       ///< this node's line to everything but its own datacenter
    bool interface = true;                    ///< this node's own network interface

    // ---- what probers see
    Target& aim(const ProbeSpec& spec); ///< stable for the life of the world
    /// What a probe sees, into a fresh `seen`, and how long that takes; Duration::max() is silence.
    Duration see(const Target& target, Moment when, Observation& seen) const;
    Duration latency(const Target& target) const; ///< how long an answer takes, if one comes

    // ---- what is true, for asserts
    bool connected(const std::string& a, const std::string& b) const;
    bool works(const Target& target, Moment when) const; ///< for a client that is nowhere near us

  private:
    void build();
    Target& add(const std::string& name, const std::string& site);
    void serve(Target& target, Cluster*& cluster);

    const Timeline& time_;
    ModelPtr model_;
    Site* home_ = nullptr; ///< the node's own; null: it stands outside all
    std::map<std::string, Site> sites_;
    std::map<std::string, Target> targets_;
    std::deque<Cluster> clusters_;
    std::map<std::string, Cluster*> cluster_by_service_;
};

/// Ready-made sights.
namespace saying {
Sight nothing(); ///< silence
Sight refused();
Sight status(int code); ///< an HTTP status that is not wanted
Sight bad_certificate();
}

} // namespace fairway::sim
