// The old primary's way back (L18): once a switch is done and the site that was left answers again, the
// `rejoin` hook makes its database a standby. It promotes nothing and moves nothing; what it fails at a
// person mends.
#include "policies/service.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// How often a site that is waited for is looked up: a refusal there changes no verdict, so nothing else
/// tells.
constexpr Duration patience = 2s;

template<class F> bool any_member(const Turn& t, EndpointIndex e, F f) {
    for (auto* tier : {&t.c.bound[e].application, &t.c.bound[e].stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members)
                if (f(t.c.members[slot])) return true;
    return false;
}

/// Something there answered, be it a refusal, to a look begun after the switch.
bool answers(const Turn& t, EndpointIndex e) {
    const Instant since = t.c.now.at(t.s.rejoin->since);
    return any_member(
        t, e, [&](const MemberState& m) { return m.health.last.begun > since && m.health.last.answered(); });
}

bool a_standby(const Turn& t, EndpointIndex e) {
    return any_member(t, e, [&](const MemberState& m) {
        return m.health.claim.role == Role::standby && m.health.works.verdict == Readiness::ready &&
               m.health.last.begun > t.c.now.at(t.s.rejoin->since);
    });
}

void tell(Turn& t, Change change, Severity severity, std::string reason) {
    auto& said = t.say(change, severity, std::move(reason));
    said.subject = t.s.rejoin->switch_id;
    said.datacenter = t.s.rejoin->datacenter;
}

void end(Turn& t, std::string reason) {
    tell(t, Change::rejoin_ended, Severity::info, std::move(reason));
    t.s.rejoin.reset();
    t.s.rejoin_running = false;
    t.noted = true;
}

} // namespace

void await_rejoin(Turn& t, const Switch& done) {
    if (!t.c.service.hooks.contains(Hook::Step::rejoin) || done.from.empty()) return;
    t.s.rejoin = Rejoin{done.id, done.from, done.to, t.c.now.wall, ""};
    t.s.rejoin_running = false;
    t.noted = true;
}

void run_rejoin(Turn& t) {
    if (!t.s.rejoin || t.s.rejoin_running) return;
    const auto site = t.endpoint_in(t.s.rejoin->datacenter);
    const auto seat = t.s.followed ? std::optional(t.s.followed->endpoint) : t.s.active;
    if (t.s.running && t.s.running->step != SwitchStep::awaiting_approval) return; // one thing at a time
    if (!site || !t.c.service.hooks.contains(Hook::Step::rejoin)) return end(t, "it is no longer configured");
    if (seat == site) return end(t, "the service is in " + t.s.rejoin->datacenter + " again");
    if (a_standby(t, *site)) return end(t, t.s.rejoin->datacenter + " is a standby");
    if (!t.s.rejoin->failure.empty()) return; // not repeated: it waits for whoever mends it
    t.due(t.c.now.mono + patience);
    const bool settled = !t.c.service.follows_primary() || t.s.claimed; // else there is nothing to rejoin
    if (!settled || t.c.doubt || !answers(t, *site)) return;
    t.s.rejoin_running = true;
    tell(t, Change::rejoin_started, Severity::info,
         t.s.rejoin->datacenter + " answers again: running the rejoin hook, which makes it a standby");
    t.out.hooks.push_back({.service = t.c.service.title(),
                           .switch_id = t.s.rejoin->switch_id,
                           .step = Hook::Step::rejoin,
                           .from = t.s.rejoin->datacenter,
                           .to = t.s.rejoin->to,
                           .reason = t.s.rejoin->datacenter + " answers again"});
}

Transition rejoin_ended(ServiceState& s, const Service& service, const HookResult& result, Now now) {
    Transition said{.change = result.ok ? Change::rejoin_ended : Change::rejoin_failed,
                    .severity = result.ok ? Severity::info : Severity::critical,
                    .service = service.title(),
                    .datacenter = s.rejoin->datacenter,
                    .subject = s.rejoin->switch_id,
                    .reason = result.ok ? "the rejoin hook ended: " + s.rejoin->datacenter +
                                              " is becoming a standby"
                                        : "the rejoin hook failed: " + result.detail + "; it is not repeated",
                    .decided = now.mono};
    s.rejoin_running = false;
    if (result.ok) s.rejoin.reset();
    else s.rejoin->failure = result.detail.empty() ? "it failed" : result.detail;
    return said;
}

} // namespace fairway::policies
