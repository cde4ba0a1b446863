// The simulated prober: the real rhythm of looking, at the simulated world.
//
// Interval start to start with jitter that only shortens, a timeout, quick re-tests by the real next_look(),
// never two looks at one member at once. One look is one event, at the moment of its result: what it saw is
// what the world was then. A closed connection under `watch` is told by the story (watched_end).
#pragma once

#include "probes/prober.hpp"
#include "tests/sim/random.hpp"
#include "tests/sim/world.hpp"

#include <compare>
#include <functional>
#include <map>
#include <queue>

namespace fairway::sim {

class SimProber : public probes::Prober {
  public:
    SimProber(SimLoop& loop, World& world, Random random, Sink sink, NameSink names);

    void assign(std::vector<probes::Assignment> members) override;
    void look(std::span<const MemberId> members) override;
    void resolve(std::vector<std::string> names) override;

    void watched_end(const Target& target); ///< its connections closed: those who watch it look at once
    /// The process will not be scheduled for `d`: looks that would begin meanwhile begin after it, and those
    /// under way find their timeout passed when it wakes, whatever lies in their sockets.
    void stall(Duration d);
    std::uint64_t looks() const { return looks_; }
    std::size_t members() const { return by_id_.size(); }

  private:
    struct Look {
        MemberId member = 0;
        ProbeSpec spec;
        Target* target = nullptr;
        Cadence cadence;
        Moment begun{};          ///< of the look under way, or of the next
        bool silence = false;    ///< no answer will come: waiting for the timeout
        bool again = false;      ///< asked for while one was under way
        std::uint64_t order = 0; ///< of its place in the line; an older one is void
    };
    struct Due {
        Moment when{}; ///< to be attended to
        std::uint64_t order = 0;
        Look* look = nullptr;
        auto operator<=>(const Due&) const = default;
    };

    void forget_the_others();
    void begin(Look& look, Moment when);
    void attend(Look& look);
    void result(Look& look, Sight sight);
    bool under_way(const Look& look) const { return look.begun <= now(); }
    Moment now() const { return loop_.world_now(); }
    void at_once(Look& look);
    void schedule(Look& look, Moment due);
    void arm();
    void run();
    void ask(const std::string& name);

    SimLoop& loop_;
    World& world_;
    Random random_;
    Sink sink_;
    NameSink name_sink_;
    std::map<std::string, Loop::HandlePtr> names_; ///< until each is asked for again
    std::map<MemberId, std::unique_ptr<Look>> by_id_;
    /// One event of the timeline a look would be too many.
    std::priority_queue<Due, std::vector<Due>, std::greater<>> line_;
    Loop::HandlePtr timer_;
    Moment armed_for_{};
    std::uint64_t orders_ = 0, looks_ = 0;
};

} // namespace fairway::sim
