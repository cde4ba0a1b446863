// The watch: what must hold of every answer in every world, judged by what is true there, not by what Fairway
// believes.
//
// DESIGN's list (section 9): never an empty answer nobody chose, never only failing sites while a living one
// exists, never an excluded site, two primaries move nothing, without a new claim a following service stays,
// one switch at a time, a restart within 60 s changes no answer. (That every change is explained is watched
// in Story.)
#pragma once

#include "tests/sim/swarm/faults.hpp"

namespace fairway::sim {

class Watch {
  public:
    /// What is wrong with the world, each second; empty: nothing. For the tests of the shrinker.
    using Invariant = std::function<std::string(const Story&)>;

    Watch(Story& story, const Settings& settings, const Faults& faults, Invariant invariant = {})
        : story_(story), settings_(settings), faults_(faults), invariant_(std::move(invariant)) {}

    void look();                                        ///< once a simulated second
    void before_restart();                              ///< remembers the answers
    void after_start(Moment start, bool short_absence); ///< looks at the first answers of a new process
    void converged();                                   ///< long after everything was mended
    const std::string& problems() const { return problems_; }

  private:
    /// What is true of an endpoint, as a prober would see it, and since when it has been so.
    struct Truth {
        bool works = false;
        bool primary = false; ///< answers and says so
        std::uint64_t epoch = 0;
        Moment since{}, primary_since{}, last_primary = -1h;
    };
    using Key = std::pair<std::string, std::string>; ///< service, site

    void see_truth();
    Truth seen(const Service& service, EndpointIndex e) const;
    void judge_empty(const Drawn& service, const Answer& answer);
    void judge_excluded(const Drawn& service, const Answer& answer);
    void judge_living(const Drawn& service, const Answer& answer);
    void judge_following(const Drawn& service, const Answer& before, const Answer& after);
    void judge_switches();
    void judge_together();
    bool any_drained(const Drawn& service) const;
    bool deciding_for_itself() const; ///< our node has been well for long enough to know the world
    void problem(const std::string& text);

    Story& story_;
    const Settings& settings_;
    const Faults& faults_;
    Invariant invariant_;
    std::map<Key, Truth> truth_;
    std::map<std::string, std::size_t> judged_; ///< answers already judged, per service
    std::map<std::string, std::string> before_;
    std::map<std::string, std::uint64_t> highest_epoch_;
    std::size_t runs_judged_ = 0;
    Moment last_doubt_ = -1h;
    std::optional<Moment> doubts_since_;
    std::optional<Moment> apart_since_;
    std::set<std::string> told_;
    std::string problems_;
};

} // namespace fairway::sim
