// etcd: has this member a leader, and can it read by agreement? (manual: recipes, etcd)
//
// POST /v3/maintenance/status is the member's own view: leader, term, alarms, applied index. GET /health then
// is a linearizable read, answered only by agreement with a majority: a leader that was just cut off still
// names itself for an election timeout, and cannot do that.
#include "probes/checks/api.hpp"

namespace fairway::probes {

namespace {

/// The numbers are 64 bits in texts, as the JSON mapping of protocol buffers has it; what is zero is left
/// out.
Facts facts_of(const ApiAnswer& status) {
    Facts f;
    const std::string leader = status.text("/leader");
    f.quorum = !leader.empty() && leader != "0";
    if (*f.quorum) f.role = leader == status.text("/header/member_id") ? Role::primary : Role::standby;
    f.epoch = status.number("/raftTerm");
    f.position = status.number("/raftAppliedIndex");
    f.system = status.text("/header/cluster_id");
    return f;
}

/// Alarms are the whole cluster's: each of its members tells them.
std::optional<Finding> alarm(const ApiAnswer& status, Facts& facts) {
    for (std::size_t i = 0; i < status.json->size("/errors"); ++i) {
        const std::string error = status.text("/errors/" + std::to_string(i));
        if (error.find("alarm:NOSPACE") != error.npos) {
            facts.read_only = true;
            return because(Reason::read_only, "alarm NOSPACE: it refuses writes", facts);
        }
        if (error.find("alarm:") != error.npos) return because(Reason::reported_down, error, facts);
    }
    return std::nullopt;
}

} // namespace

Task<Finding> look(const EtcdCheck& check, Look at) {
    Task<ApiAnswer> asking = ask(check.api, at, "/v3/maintenance/status", "{}", only_ok, at.silence);
    const ApiAnswer status = co_await asking;
    if (!status.json) co_return status.problem;
    if (!status.number("/raftTerm"))
        co_return because(Reason::bad_response, "not the status of an etcd member");

    Facts facts = facts_of(status);
    if (const auto found = alarm(status, facts)) co_return *found;
    if (status.is("/isLearner")) co_return because(Reason::role, "a learner: it serves no reads", facts);
    if (!*facts.quorum) co_return degraded(Reason::no_quorum, "no leader", facts);

    at.silence = Reason::no_quorum; // it has just spoken: a read that hangs waits for the others
    Reason phase{};
    Task<ApiAnswer> reading = ask(check.api, at, "/health", "", ok_or_503, phase);
    const ApiAnswer health = co_await reading;
    if (!health.json) co_return health.problem;
    if (health.is("/health")) co_return pass(facts.role == Role::primary ? "leader" : "follower", facts);
    facts.quorum = false;
    const std::string why = health.text("/reason");
    co_return degraded(Reason::no_quorum, "no linearizable read" + (why.empty() ? "" : ": " + why), facts);
}

} // namespace fairway::probes
