// Learned latency: round trips that were measured elsewhere and told to us, kept by network.
//
// A value, bounded in size: what is told is folded into a mean by network and datacenter whose older
// measurements count ever less. What answers are made of is a copy of it that follows the mean only for a
// change that matters, so that noise moves nobody. Pure: time is given.
#pragma once

#include "config/clients.hpp"
#include "config/model.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace fairway::policies {

struct Measurement {
    Prefix network; ///< finer than /24 or /48 is taken as that: what a resolver tells of its clients
    std::string datacenter;
    double rtt_ms = 0; ///< above 0, at most most_rtt_ms
};
inline constexpr double most_rtt_ms = 60'000;

/// What is known of one network.
struct LearnedRecord {
    struct Site {
        std::string datacenter;
        double mean_ms = 0;
        double weight = 0; ///< measurements behind the mean, as of `at`
        WallTime at{};
        std::optional<unsigned> used_ms; ///< what answers are made of; unset: too little is known
    };
    Prefix network;
    std::vector<Site> sites; ///< empty: forgotten
};

/// The networks of which something is used, ascending.
using Learned = std::vector<LearnedRecord>;

class LatencyBook {
  public:
    LatencyBook(LearnedSettings settings, std::vector<LearnedRecord> restored);

    /// When it is full, the network that is known least makes room.
    void add(const Measurement& m, WallTime now);

    /// Ages what is known, forgets what is too old, and lets what is used follow. True: what is used has
    /// changed.
    bool settle(WallTime now);

    void configure(LearnedSettings settings); ///< the next settle() obeys it
    Learned used() const;
    std::vector<LearnedRecord> all() const;
    std::size_t size() const { return book_.size(); } ///< networks
    std::vector<LearnedRecord> changed();             ///< since it was asked last: what is to be stored

  private:
    struct Site {
        double mean_ms = 0, weight = 0;
        WallTime at{};
        std::optional<unsigned> used_ms;
    };
    using Sites = std::map<std::string, Site>;
    double aged(const Site& s, WallTime now) const; ///< its weight
    void forget_least(WallTime now);
    LearnedRecord record(const Prefix& network) const;

    LearnedSettings settings_;
    std::map<Prefix, Sites> book_;
    std::set<Prefix> touched_;  ///< since changed() was asked
    bool used_evicted_ = false; ///< since settle()
};

/// The clients as configured with what was learned laid over them: of the networks in `learned` the round
/// trips to datacenters of the model are those, whatever else is known of them stays. A longer configured
/// prefix still wins.
Clients over(const Model& model, const Clients& configured, const Learned& learned);

} // namespace fairway::policies
