// rabbitmq: does this node see a majority, accept publishing, and run its virtual hosts? (manual: recipes,
// RabbitMQ)
//
// The health checks of the management plugin are made for this and say no by 503; its statistics are not
// asked for alarms, they are behind by seconds. A user with the tag `monitoring` may ask all of it.
#include "probes/checks/api.hpp"

namespace fairway::probes {

namespace {

/// Of the nodes that ever joined, those that run, as this node sees it.
struct Nodes {
    std::size_t all = 0, running = 0;
    std::string parted; ///< nodes that were parted from each other, and have not been healed
};

Nodes nodes_of(const ApiAnswer& a) {
    Nodes n{.all = a.json->size("")};
    for (std::size_t i = 0; i < n.all; ++i) {
        const std::string node = "/" + std::to_string(i);
        n.running += a.is(node + "/running");
        if (a.json->size(node + "/partitions") > 0) n.parted = a.text(node + "/name");
    }
    return n;
}

std::string reason_in(const ApiAnswer& a) {
    const std::string reason = a.text("/reason");
    return reason.empty() ? "it says " + a.text("/status") : reason;
}

constexpr const char* health = "/api/health/checks/";

} // namespace

Task<Finding> look(const RabbitmqCheck& check, Look at) {
    Task<ApiAnswer> first =
        ask(check.api, at, "/api/nodes?columns=name,running,partitions", "", only_ok, at.silence);
    const ApiAnswer list = co_await first;
    if (!list.json) co_return list.problem;
    const Nodes nodes = nodes_of(list);
    if (nodes.running == 0) co_return because(Reason::bad_response, "not the nodes of a RabbitMQ");
    Facts facts;
    facts.quorum = 2 * nodes.running > nodes.all;
    const std::string said =
        std::to_string(nodes.running) + " of " + std::to_string(nodes.all) + " nodes run";

    Task<ApiAnswer> second = ask(check.api, at, std::string(health) + "alarms", "", ok_or_503, at.silence);
    const ApiAnswer alarms = co_await second;
    if (!alarms.json) co_return alarms.problem;
    facts.read_only = alarms.status == 503; // anywhere in the cluster: nobody can publish
    if (*facts.read_only) co_return because(Reason::read_only, reason_in(alarms), facts);

    Task<ApiAnswer> third =
        ask(check.api, at, std::string(health) + "virtual-hosts", "", ok_or_503, at.silence);
    const ApiAnswer hosts = co_await third;
    if (!hosts.json) co_return hosts.problem;
    if (hosts.status == 503) co_return because(Reason::reported_down, reason_in(hosts), facts);
    if (!*facts.quorum) co_return degraded(Reason::no_quorum, said, facts);
    if (!nodes.parted.empty())
        co_return degraded(Reason::no_quorum, nodes.parted + " was parted from others", facts);

    Task<ApiAnswer> fourth =
        ask(check.api, at, std::string(health) + "node-is-quorum-critical", "", ok_or_503, at.silence);
    const ApiAnswer critical = co_await fourth;
    if (!critical.json) co_return critical.problem;
    if (critical.status == 503)
        co_return degraded(Reason::no_quorum, "without this node, quorum queues have no majority", facts);
    co_return pass(said, facts);
}

} // namespace fairway::probes
