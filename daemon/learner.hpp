// The learner: owns what was measured of the way to clients, stores it, and tells the loader when what
// answers are made of has changed.
//
// Belongs to the control thread. What it is told waits for the next round.
#pragma once

#include "daemon/state_store.hpp"
#include "policies/learned.hpp"
#include "probes/async/loop.hpp"

#include <functional>
#include <span>

namespace fairway::daemon {

class Learner {
  public:
    /// Answers are compiled anew at most this often, and as often what is known is stored.
    static constexpr Duration round = 10s;

    struct Office {
        std::function<bool()> held;                   ///< answers are to stay: nothing is applied now
        std::function<void(policies::Learned)> apply; ///< wants answers made of this
    };

    Learner(Loop& loop, StateStore& store, LearnedSettings settings,
            std::vector<policies::LearnedRecord> restored, Office office);

    void add(std::span<const policies::Measurement> told);
    void configure(LearnedSettings settings) { book_.configure(settings); }
    std::vector<policies::LearnedRecord> all() const { return book_.all(); }
    std::size_t networks() const { return book_.size(); }

  private:
    void go_round();
    void write();
    Loop& loop_;
    StateStore& store_;
    policies::LatencyBook book_;
    Office office_;
    std::vector<policies::LearnedRecord> owed_; ///< what a write did not store
    Loop::HandlePtr next_;
};

} // namespace fairway::daemon
