// Inside the engine: its members, its services, its doubt. Private to policies/.
#pragma once

#include "policies/alias.hpp"
#include "policies/doubt.hpp"
#include "policies/drill.hpp"
#include "policies/service.hpp"

#include <map>
#include <set>
#include <unordered_map>

namespace fairway::policies {

/// Self-doubt under way. The witnesses are fixed while it lasts (L4).
struct Doubt {
    bool active = false;
    Instant since{};
    std::vector<MemberSlot> witnesses;
    std::optional<Instant> clear_since; ///< when its condition ended
    bool references_silent = false;
    Instant references_since{};
};

/// A member that silence is about to take down, and until when the other witnesses are waited for.
struct Brink {
    MemberSlot slot;
    std::optional<Instant> deadline{};
    std::vector<MemberSlot> asked{}; ///< all of these are waited for
};

/// Whose alias it is: a service, a datacenter, and the name.
struct AliasKey {
    std::string service, datacenter, name;
    auto operator<=>(const AliasKey&) const = default;
};

struct AliasState {
    Alias alias;
    ServiceIndex service = 0;
    EndpointIndex endpoint = 0;
};

struct Engine::State {
    ModelPtr configured; ///< as it was loaded
    ModelPtr model;      ///< the same, with the addresses that aliases have
    std::map<AliasKey, AliasState> aliases;
    std::vector<ServiceIndex> realiased; ///< whose addresses are others than `model` says
    Instant rebound{};                   ///< when `model` was last brought up to date with them
    Binding binding;
    std::vector<MemberState> members;  ///< by slot
    std::vector<Member> told;          ///< members() as the prober is told
    std::vector<std::int32_t> slot_of; ///< by MemberId; -1: gone
    std::vector<ServiceState> services;
    std::vector<Override> overrides;
    std::map<std::string, PrimaryTrack>
        tracks; ///< by system identity; bounded by what the configuration looks at
    Doubt doubt;
    std::vector<Brink> brink;
    std::vector<char> dirty;                         ///< by service: is in `marked`
    std::vector<ServiceIndex> marked;                ///< will take a turn
    std::set<std::pair<Instant, ServiceIndex>> dues; ///< ServiceState::due of all that have one
    std::vector<MemberRecord> outdated;              ///< restored, but too old to be a truth
    std::optional<DrillState> drill;                 ///< the one under way, or the last
    Instant started{};
    bool warm = false;
    std::optional<WallTime> wall_at_zero; ///< of the clock that never steps, as it was at the last step

    // ---- making (engine_make.cpp, engine_reload.cpp)
    void adopt(ModelPtr next, const Restored& restored, Now now, std::vector<MemberState> old_members,
               std::vector<ServiceState> old_services, const Model* old_model);
    void restore(const Restored& restored, Now now);
    void bind_members(std::vector<MemberState> old_members); ///< to `model`; what is known keeps its history

    // ---- stepping (engine.cpp)
    void take(const Observation& seen, Effects& out, Now now);
    void tell(const MemberState& m, const Observation& seen, const MemberHealth::Step& step, Effects& out,
              Now now);
    /// Nothing to settle, no drill and no maintenance: what nearly every look comes to.
    bool idle(Now now) const;
    Effects settle(Now now); ///< turns of every dirty service
    Effects turns(Now now);
    Effects turn_together(const Group& group, Now now);
    Effects turn(ServiceIndex s, Now now); ///< and of those it moves with
    void mark(ServiceIndex s);
    void mark(const MemberState& m);
    void mark_all();
    ServiceContext context(ServiceIndex s, Now now) const;
    bool note_load(MemberState& m, const Observation& seen);
    MemberHealth::Facts judge_facts(MemberState& m, const Observation& seen);

    void follow_clock(Effects& out, Now now); ///< engine_clock.cpp: first of all, whatever comes in
    void leap(std::chrono::milliseconds step, Effects& out, Now now);

    // ---- aliases (engine_alias.cpp)
    void adopt_aliases(const Restored& restored, Now now); ///< those of `configured`; makes `model`
    void note(const NameObservation& seen, Effects& out, Now now);
    bool review_aliases(Effects& out, Now now); ///< true: `model` and members are others now
    void rebind();
    Instant alias_due() const; ///< max: never

    // ---- silence (engine_doubt.cpp)
    void weigh_silence(Effects& out, Now now) { ///< all of it, after each batch and each tick
        if (brink.empty() && !doubt.active && binding.references.empty()) return;
        judge_silence(out, now);
        review_doubt(out, now);
    }
    void judge_silence(Effects& out, Now now);
    void judge_references(Effects& out, Now now);
    void review_doubt(Effects& out, Now now);
    bool waits_for_others(Brink& b, const World& world, Effects& out, Now now);
    std::vector<Witness> witnesses(Now now) const;
    void enter_doubt(const World& world, Effects& out, Now now);
    void leave_doubt(Effects& out, Now now);
    Instant doubt_due() const; ///< max: never

    // ---- drills (engine_drill.cpp)
    CommandResult start_drill(const SetOverride& set, const std::string& who, Effects& out, Now now);
    void adopt_drill(Now now);
    void end_drill(Effects& out, const std::string& why, Severity severity, Now now);
    void review_drill(Effects& out,
                      Now now); ///< after each step: its guard, and the mark on what is its doing
    std::string guard_of_drill(const Effects& out) const;
    void mark_drill(Effects& out);
    bool played_lost(const MemberState& m) const;

    // ---- operators: a command on its way (engine_command.cpp)
    std::vector<ServiceIndex> touched(const Command& command) const;
    CommandResult refuse_frozen(const Command& command, Now now);

    // ---- operators: overrides (engine_override.cpp)
    CommandResult run(const SetOverride& o, const std::string& who, Effects& out, Now now);
    CommandResult run(const EndOverride& o, const std::string& who, Effects& out, Now now);
    std::string held_by_another(const Scope& scope, Now now) const;
    void expire_overrides(Effects& out, Now now);
    void review_freezes(Effects& out, Now now); ///< freezes and thaws the services that overrides say
    void quiet_maintenance(Effects& out, Now now) const; ///< maintenance.cpp

    // ---- operators: switches (engine_switch.cpp)
    CommandResult run(const Failover& f, const std::string& who, Effects& out, Now now);
    CommandResult run(const Failback& f, const std::string& who, Effects& out, Now now);
    CommandResult run(const Approve& a, const std::string& who, Effects& out, Now now);
    CommandResult run(const Move& m, const std::string& who, Effects& out, Now now);
    CommandResult run(const Abort& a, const std::string& who, Effects& out, Now now);
    std::optional<std::string> cannot_switch(ServiceIndex index, SwitchCause cause, EndpointIndex to,
                                             Now now);
    Switch drafted(ServiceIndex index, SwitchCause cause, EndpointIndex to, const std::string& who, Now now);
    CommandResult request_switch(ServiceIndex index, SwitchCause cause, EndpointIndex to,
                                 const std::string& who, Effects& out, Now now);
    ServiceIndex leader_of(ServiceIndex s) const;
    std::optional<ServiceIndex> moved_by(const std::string& service) const;
};

/// From one model to the next.
struct Handover {
    const Model &before, &after;
    std::vector<ClientClassIndex> heirs; ///< by class of `after`: the one of `before` that it goes on from
};
/// Carries the latch, the followed claim, the running switch and the rest over to the same service of a new
/// model.
void carry_over(ServiceState& to, ServiceState& from, const Handover& models, Now now);

/// Not fit, perhaps, but it passes: it is used at once where nothing else is fit (L10).
bool usable_if_needed(const ServiceState& s, const ServiceContext& c, EndpointIndex e);

CommandResult refused(std::string why);
std::optional<EndpointIndex> endpoint_in(const Model& model, ServiceIndex s, std::string_view datacenter);
MemberRecord record_of(const MemberState& m, Now now);
Transition member_transition(const MemberState& m, Change change, Severity severity, std::string reason,
                             Now now);

} // namespace fairway::policies
