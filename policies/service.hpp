// One service's decision: what is remembered of it, and the turn that brings it up to date.
//
// A turn looks at everything the service depends on and goes, in this order: endpoints, who is pressed into
// service, ramps, brake, who holds the primary, may it be served, the running switch, rejoin, the latch, load
// to shed, the plan and its TTL; then redundancy and divergence. Each stage is one function in one file.
#pragma once

#include "policies/damping.hpp"
#include "policies/engine.hpp"
#include "policies/follow.hpp"
#include "policies/readiness.hpp"
#include "policies/redundancy.hpp"
#include "policies/selection.hpp"
#include "policies/shed.hpp"

#include <optional>
#include <string>
#include <vector>

namespace fairway::policies {

struct EndpointState {
    Assessment assessment;
    Readiness readiness = Readiness::undecided; ///< application and stateful tier together
    bool excluded = false;                      ///< by the operator, by weight 0, or named by no branch (L7)
    bool fit = false, braked = false;
    bool degraded = false; ///< ready, and ranks behind those that are whole
    double share = 1;      ///< of its traffic, as it asks for itself; 0: drained, out by its own wish
    bool pressed = false;  ///< into service before its hold-down: nothing else is fit (L10)
    bool pressed_told = false;
    bool was_fit = false;             ///< ever: one that never was in was not taken out (L9)
    Instant since{};                  ///< of `fit`
    std::optional<Instant> out_since; ///< taken out by automation
    /// As it was before a restart, until it is decided again: what is as it was is no news.
    struct Before {
        bool fit = false;
        Instant since{};
    };
    std::optional<Before> before{};
    Damping damping;
    std::optional<unsigned> ramp_step; ///< it returned, and gets this step's part of its share
    Instant ramp_since{};              ///< of the step
    std::optional<Instant> calm_since; ///< begin of the unbroken run in which it has been ready

    // What the services it moves with say of this datacenter; `ready` where there is no such service.
    Readiness together = Readiness::ready;
    bool together_usable = true; ///< those that are not fit there are all kept by the brake
    bool stands_in = false;      ///< the leader of a group that is fit nowhere itself: all others are here
    std::string apart;           ///< who is not fit there, and why
    Instant together_since{};    ///< since when all of them pass there
    std::optional<std::string> group_risk; ///< why moving there would put their data at risk (L16)
};

/// Fit for the service, or pressed into service, and for those it moves with.
inline bool usable_here(const EndpointState& e) {
    return (e.fit || e.pressed) && e.together != Readiness::unready;
}
/// May the service be moved there: it is fit there, or leads a group that is.
inline bool movable_here(const EndpointState& e) { return usable_here(e) || e.stands_in; }

struct ServiceState {
    ServiceIndex index = 0;
    Instant born{};    ///< start, or the reload that brought it
    bool warm = false; ///< restarted within 60 s: goes on as it was (L20)
    bool served = false;
    bool was_served = false; ///< by the process before, less than 60 s ago
    bool keeps_plan = false; ///< reloaded while it was served: until it is decided again, the old plan stays
    std::vector<EndpointState> endpoints;
    std::vector<EndpointIndex> last_good;
    AnswerPlan plan;
    Instant plan_since{};
    std::string reason;            ///< of the plan, one sentence
    std::string answered;          ///< the plan in words, as told last
    std::uint64_t fingerprint = 0; ///< of the plan as told last
    bool resumes = false;          ///< restarted within 60 s, and not decided since

    bool all_down = false, all_excluded = false;
    Instant all_down_since{};

    std::optional<EndpointIndex> active; ///< the latch (L10, L12)
    std::uint64_t moves = 0; ///< of the latch, ever: tells one switch from a later one to the same site
    Instant active_since{};
    bool awaiting_failback = false;

    std::optional<Followed> followed;
    bool claimed = false; ///< a followable claim is fresh
    std::optional<Instant> unclaimed_since;
    bool no_primary = false, no_primary_critical = false, partial_failure = false;
    std::vector<EndpointIndex> primaries, refused_claims;
    Instant primaries_since{}, refused_since{}, partial_since{}, excluded_since{};

    std::optional<AnswerPlan> frozen; ///< a freeze holds this plan
    bool thawed = false;              ///< for one turn: an operator acts under the freeze
    std::optional<Switch> running;
    bool hook_running = false;
    std::string
        orphan; ///< id of a switch whose target a reload removed while its hook ran: no other begins yet

    std::string drill_held; ///< what a drill does not do for it; empty: nothing
    std::string group_held; ///< why its group cannot be where all of it is fit; empty: it can. The leader's
    Instant group_held_since{};

    std::optional<WallTime> diverging_since; ///< both sides of an eventual store are written, and cut off
    std::optional<Rejoin> rejoin;            ///< is waited for, or failed
    bool rejoin_running = false;             ///< its hook
    std::optional<FaultRecord> fault;        ///< the last one, and the data it put at risk

    std::optional<Redundancy> redundancy; ///< as told last
    Instant redundancy_since{};
    std::string missed; ///< objectives that could not be met; empty: they could
    Instant missed_since{};
    std::optional<Instant> objectives_turned; ///< since when it is otherwise than told

    bool unquiet = false;         ///< something was pending at the last turn
    std::optional<Instant> noise; ///< last moment something was pending (TTL)
    Shedding shedding;            ///< what its sites' load leaves them
    Previous previous;            ///< latency: answered so far
    std::optional<Instant> due;
};

/// Everything a turn may look at.
struct ServiceContext {
    const Model& model;
    const Service& service;
    const std::vector<BoundEndpoint>& bound;
    std::span<const MemberState> members;
    std::span<const Override> overrides;
    bool doubt;
    Now now;
    const DrillReport* drill = nullptr; ///< under way
};

/// What a turn has found new about one endpoint.
struct Cause {
    EndpointIndex endpoint = 0;
    std::string why;
    std::vector<std::string> evidence;
    std::optional<Instant> fault;
};

/// A turn under way: the state it changes, what it sees, and what it wants done.
struct Turn {
    ServiceState& s;
    const ServiceContext& c;
    Effects out;
    std::string why;                   ///< the latest reason: one of `causes`, or a decision of its own
    std::vector<std::string> evidence; ///< behind `why`
    std::vector<Cause> causes{};
    bool news = false; ///< what the plan rests on is another, even if the plan is the same
    std::optional<Instant> fault;
    bool latched = false;     ///< something durable changed that the plan rests on
    bool frozen = false;      ///< the plan, the followed site, the latch and the switch stay as they are
    bool noted = false;       ///< something durable changed that no plan rests on
    bool led = false;         ///< another of its group decides where it is
    bool led_by_role = false; ///< and that one follows the primary
    bool apart = false;       ///< fit somewhere, but nowhere where all of its group are
    bool was_served = false;  ///< before the turn
    std::vector<SiteClaim> claims{};

    const std::string& datacenter(EndpointIndex e) const { return c.model.datacenter_of(c.service, e).name; }
    std::optional<EndpointIndex> endpoint_in(std::string_view datacenter) const;
    Transition& say(Change change, Severity severity, std::string reason);
    void because(EndpointIndex e, std::string reason); ///< the reason is about this endpoint
    void due(Instant when);
};

Effects take_turn(ServiceState& s, const ServiceContext& c);

// A turn in its parts, for the services of a group: all see, are joined, and then decide, the leader first.
Turn begin_turn(ServiceState& s, const ServiceContext& c);
void join(const Group& group, std::span<Turn> turns); ///< in the order of the group's services
void go_along(Turn& t, const Turn& leader);           ///< to where the leader of the group is
void decide(Turn& t);
Effects end_turn(Turn& t);

/// The durable part of the state, and back. `epoch` and sites are kept by name.
ServiceRecord record_of(const ServiceState& s, const Model& model, Now now);
ServiceState fresh_state(ServiceIndex index, const Model& model, Instant now);
void restore(ServiceState& s, const ServiceRecord& record, const Model& model, Now now);

// ---- the stages, in order

void assess_endpoints(Turn& t);
/// Delays never take the last living site: where nothing is fit, what passes (`rise` is met) is used at once
/// (L10).
void press_into_service(Turn& t, bool needed);
bool may_press(const Turn& t, EndpointIndex e);
bool none_fit(const ServiceState& s);
void climb_ramps(Turn& t);
void pull_brake(Turn& t);
void open_service(Turn& t, bool claim_confirmed);
bool follow_primary(
    Turn& t, std::vector<SiteClaim>& claims); ///< true: a fresh claim of the followed site is confirmed
void move_latch(Turn& t, EndpointIndex to, Change change, std::string reason);
void run_switch(Turn& t, std::span<const SiteClaim> claims);
void run_rejoin(Turn& t);
void hold_latch(Turn& t);
void shed_load(Turn& t);
AnswerPlan make_plan(Turn& t);
bool same_but_ttl(AnswerPlan a, const AnswerPlan& b);
/// Why `after` is answered: what of this turn led from `before` to it, else what it rests on.
Cause reason_of(const Turn& t, const AnswerPlan& before, const AnswerPlan& after);
void watch_redundancy(Turn& t);
void watch_divergence(Turn& t);
/// Of an eventually consistent store: it is back, and what the others wrote has not reached it (L1).
bool catches_up(const ServiceState& s, const ServiceContext& c, EndpointIndex e);
std::uint32_t settle_ttl(Turn& t);

// ---- shared by the stages

/// A drill plays the endpoint lost, and may run nothing for it.
bool only_played(const ServiceContext& c, EndpointIndex e);

/// What is known of the load of an endpoint's site, while it is young enough to be believed.
struct SiteLoad {
    double load = 0;                ///< in the unit of the capacity; without one, in parts of 1
    std::optional<double> capacity; ///< unset: `load` is a part already
    double use() const { return capacity ? load / *capacity : load; }
};
std::optional<SiteLoad> load_of(const ServiceContext& c, EndpointIndex e);
std::optional<double> capacity_of(const ServiceContext& c, EndpointIndex e);
/// "east at 95% of its capacity (950 of 1000), it keeps at most 41% of the answers".
std::string load_text(const ServiceState& s, const ServiceContext& c, EndpointIndex e);
/// Since when nothing has said its load, where something should; nullopt: something does, or it has just
/// begun.
std::optional<Instant> load_unknown_since(const ServiceState& s, const ServiceContext& c, EndpointIndex e);
/// The load of each datacenter by all that report one, each report once, beside its capacity.
std::vector<LoadReport> load_reports(const Model& model, std::span<const ServiceContext> services);
std::vector<DatacenterReport> datacenter_loads(const Model& model, std::span<const ServiceContext> services,
                                               std::span<const ServiceReport> reports);
std::vector<LoadedSite> loaded_sites(const ServiceState& s, const ServiceContext& c);

const Override* freezing_override(const ServiceContext& c); ///< null: none
void await_rejoin(Turn& t, const Switch& done);             ///< of a switch that has come to its end
Transition rejoin_ended(ServiceState& s, const Service& service, const HookResult& result, Now now);
Standing standing(const ServiceState& s, const ServiceContext& c);
std::string redundancy_text(const Redundancy& r);
/// Whose answer it is: a datacenter, or the mode of on_all_down where it is no single one's.
std::string site_of(const Choice& choice, const ServiceContext& c);
std::vector<Candidate> candidates(const ServiceState& s, const ServiceContext& c);
/// The best place in the order of an active/passive service, for it and for those it moves with.
std::optional<EndpointIndex> best_place(const ServiceState& s, const ServiceContext& c);
std::string unfit_reason(const ServiceState& s, const ServiceContext& c, EndpointIndex e);
/// Begin of the unbroken run of passes of everything the endpoint rests on.
Instant passing_since(const ServiceContext& c, EndpointIndex e);
/// What tells one switch from a later one to the same site: the followed epoch, or how often the latch has
/// moved.
std::string switch_epoch(const ServiceState& s, const ServiceContext& c);
/// The application of `e` is DOWN and failing: one that passes in its hold-down is on its way back.
bool application_fails(const ServiceContext& c, EndpointIndex e);
/// Why promoting `to` by itself would put data at risk (L16); empty: it would not, or nothing reports a lag.
std::optional<std::string> rpo_guard(const ServiceState& s, const ServiceContext& c, EndpointIndex to);
std::optional<Duration> lag_of(const ServiceContext& c, EndpointIndex e);
/// Begin of the first probe that no longer saw the primary where it was; nullopt while a member still says
/// primary.
std::optional<Instant> primary_lost(const ServiceContext& c, EndpointIndex e);
/// Notes a fault of `e` that began at `begin` with the lag of the others at that time; in words, to be
/// appended.
std::string note_fault(Turn& t, EndpointIndex e, Instant begin);
/// Could `e` take the primary over: a standby that answers, with a passing application, not excluded.
bool can_take_over(const ServiceState& s, const ServiceContext& c, EndpointIndex e);
RunbookView runbook_view(const ServiceState& s, const ServiceContext& c, std::span<const SiteClaim> claims);
std::vector<SiteClaim> claims_of(const ServiceContext& c);

} // namespace fairway::policies
