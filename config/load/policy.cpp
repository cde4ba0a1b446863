#include "config/load/draft.hpp"

#include <algorithm>

namespace fairway::load {
namespace {

enum class Kind { active_passive, weighted, round_robin, latency, geo, sticky, all };
constexpr std::string_view path = "services.*.policy";

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

std::vector<EndpointIndex> read_order(const Node& list, const Draft& d, Binding& b) {
    std::vector<EndpointIndex> out;
    if (!list.is_sequence() || list.items.empty())
        return wrong(list, *find_key("services.*.policy.order"), b.problems, "a list of datacenters"), out;
    for (const Node& item : list.items) {
        const auto endpoint = ordered(item, d, b);
        if (!endpoint) continue;
        if (std::find(out.begin(), out.end(), *endpoint) != out.end())
            b.problems.error(item.place(), "order: `" + item.text + "` is named twice");
        out.push_back(*endpoint);
    }
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

ActivePassive read_active_passive(const Mapping& m, bool in_branch, const Draft& d, Binding& b) {
    ActivePassive p;
    if (const Node* order = m.get("order")) {
        p.order = read_order(*order, d, b);
    } else {
        for (std::size_t i = 0; i < d.service.endpoints.size(); ++i)
            p.order.push_back(static_cast<EndpointIndex>(i));
    }
    m.choose("follow", p.follow_primary, {{"primary", true}});
    if (in_branch && p.follow_primary)
        b.problems.error(m.place_of("follow"), "follow: the role moves a whole service, not a branch of it");
    else if (p.follow_primary && d.checks_usable && d.notes.usable && !reports_role(d, b))
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

/// Shares written at the policy instead of at the endpoints: one for each endpoint, or none.
std::vector<unsigned> read_weights(const Mapping& policy, const Node* endpoints, Draft& d, Binding& b) {
    const Node* list = policy.get("weights");
    if (!list) return {};
    const Mapping weights(*list, "services.*.policy.weights", b.problems);
    for (const Node::Member& e : endpoints ? endpoints->members : std::vector<Node::Member>())
        if (const Node* weight = e.value.find("weight"))
            b.problems.error(weight->place(),
                             "weights are given twice: here, and at " + list->place().to_string());
    std::vector<unsigned> out(d.service.endpoints.size(), 0); // what is not named gets none
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
            out[*endpoint] = share;
    }
    if (b.problems.errors() != before) d.notes.usable = false;
    else if (d.notes.usable && std::all_of(out.begin(), out.end(), [](unsigned w) { return w == 0; }))
        b.problems.error(list->place(), "weights: all are 0, so nothing could be answered");
    return out;
}

Whom read_whom(const Node& n, Binding& b) {
    const Mapping m(n, "services.*.policy.branches.[].when", b.problems);
    Whom whom;
    std::vector<unsigned> asns;
    std::vector<Prefix> networks;
    m.read("region", whom.regions);
    m.read("country", whom.countries);
    m.read("continent", whom.continents);
    if (m.read("asn", asns)) whom.asns.assign(asns.begin(), asns.end());
    if (m.read("networks", networks)) {
        whom.networks = static_cast<std::uint16_t>(b.model.clients.lists.size());
        b.model.clients.lists.push_back(std::move(networks));
    }
    return whom;
}

Policy read_one(const Node& n, const Node* endpoints, bool in_branch, Draft& d, Binding& b);

Geo read_geo(const Mapping& m, const Node* endpoints, Draft& d, Binding& b) {
    Geo p;
    const Node* list = m.get("branches");
    if (!list) return p;
    if (!list->is_sequence() || list->items.empty())
        return wrong(*list, *find_key("services.*.policy.branches"), b.problems, "a list of branches"), p;
    std::optional<Place> everybody;
    for (const Node& item : list->items) {
        const Mapping branch(item, "services.*.policy.branches.[]", b.problems);
        if (everybody)
            b.problems.warning(item.place(), "branches: this one is reached only when nothing in that of " +
                                                 everybody->to_string() + ", which is for all, is fit");
        Branch out;
        if (const Node* when = branch.get("when")) out.whom = read_whom(*when, b);
        else if (!everybody) everybody = item.place();
        if (const Node* policy = branch.get("policy")) out.policy = read_one(*policy, endpoints, true, d, b);
        p.branches.push_back(std::move(out));
    }
    return p;
}

void refuse_foreign_keys(const Mapping& m, Kind kind) {
    constexpr std::pair<std::string_view, std::pair<Kind, Kind>> belongs[] = {
        {"order", {Kind::active_passive, Kind::active_passive}},
        {"follow", {Kind::active_passive, Kind::active_passive}},
        {"margin", {Kind::latency, Kind::latency}},
        {"branches", {Kind::geo, Kind::geo}},
        {"sticky", {Kind::weighted, Kind::sticky}},
        {"weights", {Kind::weighted, Kind::sticky}}};
    for (const auto& [key, owners] : belongs)
        if (owners.first != kind && owners.second != kind && m.has(key))
            m.problems().error(m.place_of(key), "`" + std::string(key) + "` has no meaning for the policy " +
                                                    m.get("type")->text);
}

Policy read_one(const Node& n, const Node* endpoints, bool in_branch, Draft& d, Binding& b) {
    const Mapping m(n, path, b.problems, "type");
    Kind kind{};
    if (!m.choose("type", kind,
                  {{"active_passive", Kind::active_passive},
                   {"weighted", Kind::weighted},
                   {"round_robin", Kind::round_robin},
                   {"latency", Kind::latency},
                   {"geo", Kind::geo},
                   {"sticky", Kind::sticky},
                   {"all", Kind::all}})) {
        d.notes.usable = false;
        return {};
    }
    refuse_foreign_keys(m, kind);
    bool sticks = kind == Kind::sticky;
    m.choose("sticky", sticks, {{"client_prefix", true}});
    switch (kind) {
    case Kind::active_passive: return read_active_passive(m, in_branch, d, b);
    case Kind::weighted:
    case Kind::sticky: {
        auto weights = read_weights(m, endpoints, d, b);
        return sticks ? Policy(Sticky{std::move(weights)}) : Policy(Weighted{std::move(weights)});
    }
    case Kind::latency: return read_latency(m, b);
    case Kind::geo: return read_geo(m, endpoints, d, b);
    case Kind::all: return All{};
    case Kind::round_robin: break;
    }
    return RoundRobin{};
}

/// Looks a policy and all its branches over.
bool any_policy(const Policy& p, const std::function<bool(const Policy&)>& so) {
    if (so(p)) return true;
    auto* geo = std::get_if<Geo>(&p);
    return geo && std::any_of(geo->branches.begin(), geo->branches.end(),
                              [&](const Branch& branch) { return any_policy(branch.policy, so); });
}

template<class... P> bool has_policy(const Service& s) {
    return any_policy(s.policy, [](const Policy& p) { return (std::holds_alternative<P>(p) || ...); });
}

bool names(const Policy& p, EndpointIndex e) {
    const auto weighs = [&](const std::vector<unsigned>& w) { return w.empty() || w[e] > 0; };
    if (auto* order = std::get_if<ActivePassive>(&p))
        return std::find(order->order.begin(), order->order.end(), e) != order->order.end();
    if (auto* weighted = std::get_if<Weighted>(&p)) return weighs(weighted->weights);
    if (auto* sticky = std::get_if<Sticky>(&p)) return weighs(sticky->weights);
    auto* geo = std::get_if<Geo>(&p);
    return !geo || geo->branches.empty() ||
           std::any_of(geo->branches.begin(), geo->branches.end(),
                       [&](const Branch& branch) { return names(branch.policy, e); });
}

/// Of a whole policy: what one branch leaves out another may name.
void warn_of_left_out(const Node& policy, const Draft& d, Binding& b) {
    const Node* order = policy.find("order");
    const bool geo = std::holds_alternative<Geo>(d.service.policy);
    if (!order && !geo) return;
    for (std::size_t i = 0; i < d.service.endpoints.size(); ++i)
        if (!names(d.service.policy, static_cast<EndpointIndex>(i)))
            b.problems.warning(order ? order->place() : policy.place(),
                               (geo ? "branches: the endpoint in `" : "order: the endpoint in `") +
                                   b.model.datacenters[d.service.endpoints[i].datacenter].name +
                                   (geo ? "` is named by none and thereby excluded"
                                        : "` is not named and thereby excluded"));
}

/// An answer of many addresses cannot hold a CNAME.
void check_names(const Draft& d, Binding& b) {
    const auto& endpoints = d.service.endpoints;
    for (std::size_t i = 0; i < endpoints.size() && has_policy<All>(d.service); ++i)
        if (endpoints[i].cname)
            b.problems.error(d.notes.endpoints[i], "the policy all answers addresses, and this is a `cname`");
}

/// Few policies look at weights, and something has to be left of them.
void check_weights(const Draft& d, Binding& b) {
    const auto& endpoints = d.service.endpoints;
    if (endpoints.empty() || !d.notes.usable) return;
    if (std::all_of(endpoints.begin(), endpoints.end(), [](const Endpoint& e) { return e.weight == 0; }))
        return b.problems.error(d.notes.endpoints.front(),
                                "every endpoint has weight 0: nothing could be answered");
    for (std::size_t i = 0; !has_policy<Weighted, Sticky>(d.service) && i < endpoints.size(); ++i)
        if (endpoints[i].weight > 1)
            b.problems.warning(d.notes.endpoints[i], "`weight` has no effect under this policy");
}

} // namespace

void read_policy(const Mapping& service, Draft& d, Binding& b) {
    const Node* n = service.get("policy");
    if (!n) return;
    d.notes.policy = n->place();
    const bool before = d.notes.usable;
    const std::size_t errors = b.problems.errors();
    d.service.policy = read_one(*n, service.get("endpoints"), false, d, b);
    // Of the service's own policy they are what operators and `explain` know as the endpoints' weights.
    const auto lift = [&](auto* p) {
        for (std::size_t i = 0; p && i < p->weights.size(); ++i)
            d.service.endpoints[i].weight = p->weights[i];
        if (p) p->weights.clear();
    };
    lift(std::get_if<Weighted>(&d.service.policy));
    lift(std::get_if<Sticky>(&d.service.policy));
    if (!before || !d.notes.usable) return;
    if (b.problems.errors() == errors) warn_of_left_out(*n, d, b);
    check_weights(d, b);
    check_names(d, b);
}

} // namespace fairway::load
