// nats: has this server's JetStream a meta leader with a majority behind it? (manual: recipes, NATS)
//
// GET /jsz of the monitoring port names the meta group's leader, and on the leader the other members with the
// time since each was heard. /healthz is asked too: it knows streams that have not recovered. It does not
// know of a lost leader: NATS 2.9 answers 200 for as long as there is none.
#include "probes/checks/api.hpp"

#include <chrono>

namespace fairway::probes {

namespace {

/// The shortest election timeout of NATS, whose leaders are heard each second. A leader that is cut off goes
/// on as one for some 15 s; what it tells of the others shows it after these.
constexpr std::chrono::nanoseconds unheard_for = 4s;

/// On the leader: itself and the others that it hears, against the size of the group.
bool majority_is_heard(const ApiAnswer& jsz, std::uint64_t size) {
    const std::string others = "/meta_cluster/replicas";
    std::uint64_t heard = 1;
    for (std::size_t i = 0; i < jsz.json->size(others); ++i) {
        const std::string other = others + "/" + std::to_string(i);
        const auto silent = jsz.number(other + "/active"); // ns
        const auto limit = static_cast<std::uint64_t>(unheard_for.count());
        heard += !jsz.is(other + "/offline") && silent && *silent <= limit;
    }
    return 2 * heard > size;
}

Facts facts_of(const ApiAnswer& jsz) {
    Facts f;
    f.system = jsz.text("/meta_cluster/name");
    const bool known = !jsz.text("/meta_cluster/leader").empty();
    const bool leads = known && jsz.json->size("/meta_cluster/replicas") > 0;
    f.quorum =
        known && (!leads || majority_is_heard(jsz, jsz.number("/meta_cluster/cluster_size").value_or(1)));
    if (known) f.role = leads ? Role::primary : Role::standby;
    return f;
}

} // namespace

Task<Finding> look(const NatsCheck& check, Look at) {
    Task<ApiAnswer> asking = ask(check.api, at, "/jsz", "", only_ok, at.silence);
    const ApiAnswer jsz = co_await asking;
    if (!jsz.json) co_return jsz.problem;
    if (jsz.text("/server_id").empty())
        co_return because(Reason::bad_response, "not the /jsz of a NATS server");
    if (jsz.is("/disabled")) co_return because(Reason::reported_down, "JetStream is not enabled");
    const bool clustered = !jsz.text("/meta_cluster").empty();
    const Facts facts = clustered ? facts_of(jsz) : Facts{}; // alone it is nobody's leader
    if (facts.quorum == false) {
        const bool leads = facts.role == Role::primary;
        co_return degraded(Reason::no_quorum, leads ? "meta leader without a majority" : "no meta leader",
                           facts);
    }

    Task<ApiAnswer> again = ask(check.api, at, "/healthz", "", ok_or_503, at.silence);
    const ApiAnswer health = co_await again;
    if (!health.json) co_return health.problem;
    if (health.text("/status") != "ok") {
        const std::string why = health.text("/error");
        co_return because(Reason::reported_down, why.empty() ? health.text("/status") : why, facts);
    }
    if (!clustered) co_return pass("a single server");
    co_return pass(facts.role == Role::primary ? "meta leader" : "follower", facts);
}

} // namespace fairway::probes
