#include "config/load/draft.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

enum class Kind { active_passive, weighted, round_robin, latency };

std::optional<EndpointIndex> endpoint_in(const Service& s, DatacenterIndex datacenter) {
    for (std::size_t i = 0; i < s.endpoints.size(); ++i)
        if (s.endpoints[i].datacenter == datacenter) return static_cast<EndpointIndex>(i);
    return std::nullopt;
}

/// The endpoint a word of `order` means; reports a word that means none.
std::optional<EndpointIndex> ordered(const Node& n, const Draft& d, Binding& b) {
    if (!n.is_scalar()) return wrong(n, *find_key("services.*.policy.order.[]"), b.problems), std::nullopt;
    const auto datacenter = b.datacenter(n.text, n.place());
    if (!datacenter) return std::nullopt;
    const auto endpoint = endpoint_in(d.service, *datacenter);
    if (!endpoint) b.problems.error(n.place(), "order: this service has no endpoint in `" + n.text + "`");
    return endpoint;
}

void warn_of_left_out(const Node& order, const std::vector<EndpointIndex>& named, const Draft& d,
                      Binding& b) {
    for (std::size_t i = 0; i < d.service.endpoints.size(); ++i)
        if (std::find(named.begin(), named.end(), i) == named.end())
            b.problems.warning(order.place(),
                               "order: the endpoint in `" +
                                   b.model.datacenters[d.service.endpoints[i].datacenter].name +
                                   "` is not named and thereby excluded");
}

std::vector<EndpointIndex> read_order(const Node& list, const Draft& d, Binding& b) {
    std::vector<EndpointIndex> out;
    if (!list.is_sequence() || list.items.empty())
        return wrong(list, *find_key("services.*.policy.order"), b.problems, "a list of datacenters"), out;
    const std::size_t before = b.problems.errors();
    for (const Node& item : list.items) {
        const auto endpoint = ordered(item, d, b);
        if (!endpoint) continue;
        if (std::find(out.begin(), out.end(), *endpoint) != out.end())
            b.problems.error(item.place(), "order: `" + item.text + "` is named twice");
        out.push_back(*endpoint);
    }
    if (b.problems.errors() == before && d.notes.usable) warn_of_left_out(list, out, d, b);
    return out;
}

bool reports_role(const Draft& d, const Binding& b) {
    bool found = false;
    if (d.service.stateful)
        each_check(*d.service.stateful, [&](CheckIndex c, bool required) {
            found = found || (required && reports_of(b.model.checks[c]->kind).role);
        });
    return found;
}

ActivePassive read_active_passive(const Mapping& m, const Draft& d, Binding& b) {
    ActivePassive p;
    if (const Node* order = m.get("order")) {
        p.order = read_order(*order, d, b);
    } else {
        for (std::size_t i = 0; i < d.service.endpoints.size(); ++i)
            p.order.push_back(static_cast<EndpointIndex>(i));
    }
    m.choose("follow", p.follow_primary, {{"primary", true}});
    if (p.follow_primary && d.checks_usable && d.notes.usable && !reports_role(d, b))
        b.problems.error(m.place_of("follow"),
                         "follow: primary needs a required `stateful` check that reports a role");
    return p;
}

Latency read_latency(const Mapping& m, Binding& b) {
    Latency p;
    if (const Node* n = m.get("margin")) {
        const Mapping margin(*n, "services.*.policy.margin", b.problems, "absolute");
        p.margin_absolute = 0s; // what is not said of a margin that is said is nothing
        p.margin_relative = 0;
        margin.read("absolute", p.margin_absolute);
        margin.read("relative", p.margin_relative);
    }
    return p;
}

/// Shares written beside the policy instead of at the endpoints.
void read_weights(const Mapping& service, const Mapping& policy, Draft& d, Binding& b) {
    const Node* list = policy.get("weights");
    if (!list) return;
    const Mapping weights(*list, "services.*.policy.weights", b.problems);
    const Node* endpoints = service.get("endpoints");
    for (const Node::Member& e : endpoints ? endpoints->members : std::vector<Node::Member>())
        if (const Node* weight = e.value.find("weight"))
            b.problems.error(weight->place(),
                             "weights are given twice: here, and at " + list->place().to_string());
    for (Endpoint& e : d.service.endpoints) e.weight = 0; // what is not named gets none
    const std::size_t before = b.problems.errors();
    for (const auto& entry : weights.entries()) {
        const auto datacenter = b.datacenter(entry.name, entry.place);
        const auto endpoint = datacenter ? endpoint_in(d.service, *datacenter) : std::nullopt;
        unsigned share = 0;
        if (datacenter && !endpoint)
            b.problems.error(entry.place,
                             "weights: this service has no endpoint in `" + std::string(entry.name) + "`");
        else if (read_value(*entry.value, *find_key("services.*.policy.weights.*"), share, b.problems) &&
                 endpoint)
            d.service.endpoints[*endpoint].weight = share;
    }
    if (b.problems.errors() != before) d.notes.usable = false;
}

void refuse_foreign_keys(const Mapping& m, Kind kind) {
    constexpr std::pair<std::string_view, Kind> belongs[] = {{"order", Kind::active_passive},
                                                             {"follow", Kind::active_passive},
                                                             {"margin", Kind::latency},
                                                             {"weights", Kind::weighted}};
    for (const auto& [key, owner] : belongs)
        if (owner != kind && m.has(key))
            m.problems().error(m.place_of(key), "`" + std::string(key) + "` has no meaning for the policy " +
                                                    m.get("type")->text);
}

/// Only `weighted` looks at weights, and something has to be left of them.
void check_weights(const Mapping& m, Kind kind, const Draft& d, Binding& b) {
    const auto& endpoints = d.service.endpoints;
    if (endpoints.empty() || !d.notes.usable) return;
    if (std::all_of(endpoints.begin(), endpoints.end(), [](const Endpoint& e) { return e.weight == 0; }))
        return b.problems.error(d.notes.endpoints.front(),
                                "every endpoint has weight 0: nothing could be answered");
    for (std::size_t i = 0; kind != Kind::weighted && i < endpoints.size(); ++i)
        if (endpoints[i].weight > 1)
            b.problems.warning(d.notes.endpoints[i],
                               "`weight` has no effect under the policy " + m.get("type")->text);
}

} // namespace

void read_policy(const Mapping& service, Draft& d, Binding& b) {
    const Node* n = service.get("policy");
    if (!n) return;
    d.notes.policy = n->place();
    const Mapping m(*n, "services.*.policy", b.problems, "type");
    Kind kind{};
    if (!m.choose("type", kind,
                  {{"active_passive", Kind::active_passive},
                   {"weighted", Kind::weighted},
                   {"round_robin", Kind::round_robin},
                   {"latency", Kind::latency}})) {
        d.notes.usable = false;
        return;
    }
    switch (kind) {
    case Kind::active_passive: d.service.policy = read_active_passive(m, d, b); break;
    case Kind::weighted: d.service.policy = Weighted{}; break;
    case Kind::round_robin: d.service.policy = RoundRobin{}; break;
    case Kind::latency: d.service.policy = read_latency(m, b); break;
    }
    if (kind == Kind::weighted) read_weights(service, m, d, b);
    refuse_foreign_keys(m, kind);
    check_weights(m, kind, d, b);
}

} // namespace fairway::load
