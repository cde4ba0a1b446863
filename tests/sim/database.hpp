// A simulated PostgreSQL: servers of one replicated system, with roles, timelines and positions in the log.
//
// The model keeps what Fairway can see and what an operator must not lose: which server takes writes, how far
// each has received them, and that two promoted servers part ways. Positions are reckoned, not stepped: a
// quiet hour costs nothing. Everything is settled (streams connected or broken) after each change of the
// world.
#pragma once

#include "policies/observation.hpp"
#include "tests/sim/timeline.hpp"

#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace fairway::sim {

class Cluster;

/// How far a primary has written, as a line of pieces: at most `rate` bytes a second from each break on.
class Writes {
  public:
    void start_at(Moment when, std::uint64_t position); ///< forgets what was before
    void from(Moment when, double bytes_per_second);
    std::uint64_t at(Moment when) const;

  private:
    struct Piece {
        Moment since;
        std::uint64_t position;
        double rate;
    };
    std::vector<Piece> pieces_{{Moment{}, 1'000'000, 0}}; // nothing starts at zero in PostgreSQL either
};

/// One server of a cluster. Verbs are what may happen to it; each takes effect at once.
class Database {
  public:
    enum class State {
        running,
        stopped,
        frozen,
        starting
    }; ///< stopped refuses; frozen says nothing; starting says so

    void crash();     ///< the process is gone: refuses
    void freeze();    ///< SIGSTOP: connections hang
    void starts_up(); ///< "the database system is starting up" (57P03)
    void recover();   ///< runs again, in the role it had
    void promote();   ///< takes writes from now on, on a timeline one higher than its own
    void promote_to(std::uint64_t timeline);
    void steps_down(); ///< a clean stop: its standbys have everything, and it comes back as one of them
    void rejoin();     ///< rewound and made a standby of the present primary (pg_rewind)
    void lags(Duration behind);                  ///< receives what the primary wrote so long ago
    void another_system(std::string identifier); ///< restored from elsewhere: not our data

    Cluster& cluster() const { return cluster_; }
    const std::string& site() const { return site_; }
    Role role() const { return role_; }
    State state() const { return state_; }
    std::uint64_t timeline() const { return timeline_; }
    std::uint64_t position(Moment when) const;
    bool takes_writes() const;
    Facts facts(Moment when) const;

  private:
    friend class Cluster;
    Database(Cluster& cluster, std::string site) : cluster_(cluster), site_(std::move(site)) {}

    Cluster& cluster_;
    std::string site_;
    std::string system_;
    Role role_ = Role::standby;
    State state_ = State::running;
    std::uint64_t timeline_ = 1;
    Duration lag_ = 2ms;         // a healthy stream on a short line
    Writes writes_;              // as a primary
    std::uint64_t received_ = 0; // as a standby, up to its last settling
    const Database* upstream_ = nullptr;
};

/// The servers of one system, and whom each of them receives from.
class Cluster {
  public:
    using Connected =
        std::function<bool(const std::string& a, const std::string& b)>; ///< both sites live and linked

    Cluster(const Timeline& timeline, std::string system, Connected connected);

    Database& add(const std::string& site); ///< the first is the primary
    void settle();                          ///< after any change of sites, links or servers
    void write(double bytes_per_second);    ///< 0: idle
    Database* primary(); ///< of the highest timeline among those that take writes; null if none
    std::deque<Database>& servers() { return servers_; }

  private:
    friend class Database;
    void promote(Database& server, std::uint64_t timeline);

    const Timeline& time_;
    std::string system_;
    Connected connected_;
    double rate_ = 100'000;
    std::deque<Database> servers_; // stable addresses
};

} // namespace fairway::sim
