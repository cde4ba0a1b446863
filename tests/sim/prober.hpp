// The simulated prober: the real rhythm of looking, at the simulated world.
//
// Interval start to start with jitter that only shortens, a timeout, quick re-tests by the real next_look(),
// never two looks at one member at once. One look is one event, at the moment of its result: what it saw is
// what the world was then. A closed connection under `watch` is told by the story (watched_end).
#pragma once

#include "probes/prober.hpp"
#include "tests/sim/random.hpp"
#include "tests/sim/world.hpp"

#include <list>
#include <map>

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
    struct Look;
    struct Due {
        Moment when{}; ///< to be attended to
        Look* look = nullptr;
    };
    using Line = std::list<Due>;
    struct Look {
        MemberId member = 0;
        ProbeSpec spec;
        Target* target = nullptr;
        Cadence cadence;
        Moment begun{};       ///< of the look under way, or of the next
        bool silence = false; ///< no answer will come: waiting for the timeout
        bool again = false;   ///< asked for while one was under way
        Line::iterator place{};
    };

    void begin(Look& look, Moment when);
    void attend(Look& look);
    void result(Look& look, Observation& seen);
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
    /// Each look once, the soonest first, those of one moment as they were asked for. One event of the
    /// timeline a look would be too many.
    Line line_;
    Loop::HandlePtr timer_;
    Moment armed_for_{};
    std::uint64_t looks_ = 0;
};

} // namespace fairway::sim
