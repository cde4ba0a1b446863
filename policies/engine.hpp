// The engine: the whole decision as one value that is stepped. Pure: events and time in, effects out.
//
// It owns no thread, clock, socket or file. daemon/controller feeds it and carries its effects out; the
// simulation drives the same controller in virtual time. Everything it says is in the Effects it returns.
#pragma once

#include "config/model.hpp"
#include "policies/answer_plan.hpp"
#include "policies/command.hpp"
#include "policies/observation.hpp"
#include "policies/report.hpp"
#include "policies/transition.hpp"

#include <memory>
#include <span>
#include <vector>

namespace fairway::policies {

/// What a step wants done. What is durable is stored first; then latched plans are published and hooks run.
/// All other plans, withdrawals above all, wait for nothing.
struct Effects {
    Effects() {} // by members: cleared as one block it costs three times as much, and is made for each look
    std::vector<Transition> transitions;
    std::vector<ServiceIndex> plans;     ///< whose plan changed: compile and publish
    std::vector<ServiceIndex> urgent;    ///< those of `plans` that only withdraw: they wait for nothing
    std::vector<ServiceIndex> latched;   ///< those of `plans` that rest on a record in `services`
    std::vector<MemberId> look;          ///< look at these now
    std::vector<HookRequest> hooks;      ///< run these; each is answered by hook_ended()
    std::vector<ServiceRecord> services; ///< write these records
    std::vector<MemberRecord> members;   ///< write these records (health is a hint: losing one is harmless)
    bool overrides = false;              ///< write all of overrides()
    bool aliases = false;                ///< write all of aliases()
    bool members_changed = false;        ///< others are to be looked at than before

    void append(Effects other);
    bool empty() const;
};

/// A member and how to look at it: what the prober is told.
struct Member {
    MemberId id;
    ProbeSpec spec;
};

class Engine {
  public:
    /// Starts deciding: with what was restored where it is young enough, else from nothing (L20).
    Engine(ModelPtr model, const Restored& restored, Now now);
    ~Engine();
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;
    Engine copy() const; ///< to be asked what it would do: it shares nothing with this one

    /// The first effects: plans for every service, whatever they are. Call once, before anything else.
    Effects start(Now now);

    Effects observe(std::span<const Observation> batch, Now now);
    Effects resolved(std::span<const NameObservation> seen, Now now); ///< of names()
    Effects tick(Now now);                                            ///< call at next_due() or later
    Effects hook_ended(const HookResult& result, Now now);
    Effects reload(ModelPtr model, Now now); ///< what did not change keeps its history (H11)

    struct Commanded {
        CommandResult result;
        Effects effects;
    };
    Commanded command(const Command& command, Now now);

    /// What approving the switch means: lag, data at risk, predicted load; a line each.
    std::vector<std::string> at_stake(const std::string& switch_id, Now now) const;

    /// When time alone will next change something. Never in the past of the last call.
    Instant next_due() const;

    const Model& model() const;
    std::span<const Member> members() const; ///< changes with reload(), and where members_changed says so
    std::vector<std::string> names() const;  ///< to be kept resolved: of aliases; changes only with reload()
    std::vector<AliasRecord> aliases() const;
    const AnswerPlan& plan(ServiceIndex s) const;
    std::span<const Override> overrides() const;

    /// Of a member that a drill plays lost: what its look would have seen (policies/drill.hpp). That is what
    /// observe() is given, when such a look would have ended; truth() is given what was really seen.
    std::optional<Observation> lost_in_drill(const Observation& truth) const;
    bool in_drill() const; ///< else lost_in_drill() is nothing, whatever was seen
    Effects truth(const Observation& seen, Now now);

    Report report(Now now) const;
    Explanation explain(ServiceIndex s, std::optional<IpAddress> client, Now now) const;

  private:
    struct State;
    explicit Engine(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace fairway::policies
