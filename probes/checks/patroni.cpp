// patroni: what does Patroni make of this PostgreSQL? (manual: recipes, Patroni)
//
// GET /primary: its status is Patroni's own word on who holds the leader lock of a cluster that is no standby
// cluster, its body is the same as that of /patroni. Neither alone is enough: /leader is 200 for a standby
// leader, too, and the lock is held before PostgreSQL has been promoted.
#include "probes/checks/api.hpp"

namespace fairway::probes {

namespace {

bool primary_by_name(const std::string& role) { return role == "master" || role == "primary"; }

/// Patroni's states are prose: "running", "starting", "stopped", "start failed", "creating replica", ...
Reason judge_state(const std::string& state) {
    if (state == "running" || state == "in archive recovery") return Reason::ok;
    if (state.find("failed") != state.npos || state == "stopped" || state == "crashed" || state == "unknown")
        return Reason::reported_down;
    return Reason::starting;
}

/// `received`, or what was replayed where nothing is received, against the primary's `location`: as for
/// postgres.
Facts facts_of(const ApiAnswer& a, bool primary) {
    Facts f;
    f.role = primary ? Role::primary : Role::standby;
    f.read_only = !primary;
    f.system = a.text("/database_system_identifier");
    if (const auto timeline = a.number("/timeline"); timeline && *timeline > 0) f.epoch = timeline;
    const auto received = a.number("/xlog/received_location"), replayed = a.number("/xlog/replayed_location");
    f.position = primary ? a.number("/xlog/location") : std::max(received, replayed);
    return f;
}

std::string detail_of(const ApiAnswer& a, bool primary) {
    const std::string role = a.text("/role");
    std::string said = primary ? "primary" : role;
    if (a.is("/pause")) said += ", paused";
    return said;
}

} // namespace

Task<Finding> look(const PatroniCheck& check, Look at) {
    Task<ApiAnswer> asking = ask(check.api, at, "/primary", "", ok_or_503, at.silence);
    const ApiAnswer a = co_await asking;
    if (!a.json) co_return a.problem;
    const std::string state = a.text("/state"), role = a.text("/role");
    if (state.empty() || role.empty()) co_return because(Reason::bad_response, "not the status of a Patroni");
    if (const Reason why = judge_state(state); why != Reason::ok)
        co_return because(why, "PostgreSQL: " + state);

    const bool primary = a.status == 200 && primary_by_name(role);
    Facts facts = facts_of(a, primary);
    // About to be demoted, or cut off from what keeps the lock: not to be followed, and no standby to
    // promote. That it names a role at all keeps an ordinary switchover from being raced (L15).
    if (!primary && primary_by_name(role)) {
        facts.position = std::nullopt;
        co_return because(Reason::role, "runs as a primary without the leader lock", facts);
    }
    if (a.is("/cluster_unlocked")) {
        const std::string said = detail_of(a, primary) + ", nobody holds the leader lock";
        co_return degraded(Reason::no_quorum, said, facts);
    }
    co_return pass(detail_of(a, primary), facts);
}

} // namespace fairway::probes
