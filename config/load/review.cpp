// What only the whole configuration shows: errors between groups, and the warnings of check-config (O5).
#include "config/load/draft.hpp"
#include "config/probe_spec.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace fairway::load {
namespace {

std::string domain_of(const Datacenter& d) {
    if (d.region.empty() && d.zone.empty()) return d.name;
    return d.region + '/' + d.zone;
}

std::size_t failure_domains(const Service& s, const Model& m) {
    std::set<std::string> domains;
    for (const Endpoint& e : s.endpoints) domains.insert(domain_of(m.datacenters[e.datacenter]));
    return domains.size();
}

/// S9: with two domains a strongly consistent store stops when the wrong one is lost.
void strong_needs_three(const Service& s, const ServiceNotes& notes, Binding& b) {
    const bool moves_by_itself =
        !std::holds_alternative<ActivePassive>(s.policy) || s.failover == Service::Failover::automatic;
    const std::size_t domains = failure_domains(s, b.model);
    if (s.consistency != Service::Consistency::strong || !moves_by_itself || domains >= 3) return;
    b.problems.warning(
        notes.name,
        "strongly consistent and always available needs a third failure domain, and this service has " +
            std::to_string(domains) + ": whichever store loses its peer must stop or risk two truths");
}

bool reports_lag(const Service& s, const Model& m) {
    bool any = false;
    each_check(*s.stateful, [&](CheckIndex c, bool) { any |= reports_of(m.checks[c]->kind).lag; });
    return any;
}

/// O7: what no state of the world could keep to. Detection of a silence, and the answers that are kept.
void objectives_are_possible(const Service& s, const ServiceNotes& notes, Binding& b) {
    const bool person =
        std::holds_alternative<ActivePassive>(s.policy) && s.failover == Service::Failover::approval;
    if (s.objectives.rpo && !s.stateful)
        b.problems.warning(notes.name, "objectives: `rpo` without a `stateful` tier: nothing reports a lag");
    else if (s.objectives.rpo && s.consistency != Service::Consistency::strong && !reports_lag(s, b.model))
        b.problems.warning(notes.name, "objectives: `rpo`, and no `stateful` check reports a lag");
    if (!s.objectives.rto) return;
    if (person)
        b.problems.warning(notes.name,
                           "objectives: `rto` beside `failover: approval`: nobody can promise how long "
                           "a person takes");
    Duration detection{};
    for (const auto* tier : {&s.application, &s.stateful})
        if (*tier)
            each_check(**tier, [&](CheckIndex c, bool) {
                const CheckTiming& t = b.model.checks[c]->timing;
                detection = std::max(detection, t.interval + t.fall * t.timeout + (t.fall - 1) * t.retest);
            });
    if (detection + s.ttl.max > *s.objectives.rto)
        b.problems.warning(notes.name, "objectives: rto " + to_string(*s.objectives.rto) +
                                           " is less than it takes to notice a silence (" +
                                           to_string(detection) + ") and to forget an answer (" +
                                           to_string(s.ttl.max) + ")");
    if (failure_domains(s, b.model) < 2)
        b.problems.warning(notes.name,
                           "objectives: `rto` with a single failure domain: nothing could take over");
}

/// L17: two name servers must not both run the runbook.
void one_runs_the_runbook(const Service& s, const ServiceNotes& notes, Binding& b) {
    const auto zone = b.zone_of(s.name);
    const bool runs = std::holds_alternative<ActivePassive>(s.policy) &&
                      s.failover == Service::Failover::automatic && !s.hooks.empty();
    if (!runs || !zone || b.zones[*zone].name_servers < 2 || b.model.node.runbook) return;
    b.problems.error(
        notes.name,
        "failover: automatic with hooks, several name servers and no cluster: each of them would run the "
        "hooks; say `node: {runbook: true}` on exactly one, or `failover: approval`");
}

void negative_ttl(const Service& s, const ServiceNotes& notes, Binding& b) {
    const auto zone = b.zone_of(s.name);
    if (!zone || b.zones[*zone].negative_ttl <= s.ttl.min) return;
    const Place& at = b.zones[*zone].soa_minimum.line ? b.zones[*zone].soa_minimum : notes.name;
    b.problems.warning(at, "negative answers of " + b.model.zones[*zone].name.to_string() + " are kept for " +
                               to_string(b.zones[*zone].negative_ttl) + ", longer than " +
                               s.name.to_string() + " (" + to_string(s.ttl.min) + "): lower the SOA minimum");
}

/// Nothing else may stand at a name that is answered with a CNAME (RFC 1034 section 3.6.2).
void cname_stands_alone(Binding& b) {
    std::map<std::string, std::size_t> answered; // names in wire form that may be a CNAME, and their services
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        const Service& s = b.model.services[i];
        const auto is_cname = [](const Endpoint& e) { return e.cname.has_value(); };
        if (std::any_of(s.endpoints.begin(), s.endpoints.end(), is_cname))
            answered.emplace(std::string(s.name.wire().begin(), s.name.wire().end()), i);
    }
    if (answered.empty()) return;
    for (const Zone& zone : b.model.zones)
        for (std::size_t r = 0; r < zone.records.size(); ++r) {
            const auto owner = zone.records[r].owner;
            const auto found = answered.find(std::string(owner.begin(), owner.end()));
            if (found == answered.end()) continue;
            b.problems.error(b.services[found->second].name,
                             b.model.services[found->second].name.to_string() +
                                 " has other records in the zone " + zone.name.to_string() +
                                 ": none of its endpoints can be a `cname`");
            answered.erase(found);
        }
}

/// A policy that asks where its clients are and knows nothing of them gives all the same. Said once, of the
/// first.
void clients_are_known(Binding& b) {
    if (!b.model.clients.networks.empty()) return;
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        const Policy& p = b.model.services[i].policy;
        const bool asks = std::holds_alternative<Latency>(p) || std::holds_alternative<Geo>(p);
        if (asks && b.services[i].usable)
            return b.problems.warning(b.services[i].policy,
                                      std::string("the policy ") +
                                          (std::holds_alternative<Geo>(p) ? "geo" : "latency") +
                                          " knows nothing of clients: give `clients.latency`, "
                                          "`clients.networks` or `clients.geoip`");
    }
}

/// L4: who can tell a dead datacenter from a cut line.
void self_doubt(Binding& b) {
    if (!b.model.self_doubt.references.empty() || b.model.datacenters.empty()) return;
    const std::size_t all = b.model.datacenters.size();
    const std::size_t foreign = all - b.model.node.datacenter.has_value();
    const Place place = b.node_datacenter.line ? b.node_datacenter : Place{b.file};
    if (foreign == 1)
        b.problems.warning(
            place, "a single foreign datacenter and no `self_doubt.references`: if it falls silent this node "
                   "cannot tell whether itself is cut off, and acts");
    else if (b.model.node.datacenter && all >= 3)
        b.problems.warning(
            place,
            "this node stands inside one of " + std::to_string(all) +
                " datacenters without `self_doubt.references`: "
                "when its own line is cut all others fall silent, and nothing else tells whose fault it is");
}

bool loopback(const IpAddress& a) {
    return a.family == Family::v4 ? a.bytes[0] == 127 : a == *IpAddress::parse("::1");
}

/// The datacenter in whose network an address lies: a /24, a /48, or further than the answers' networks tell.
std::optional<DatacenterIndex> located(const IpAddress& a, const Model& m) {
    const std::size_t octets = a.family == Family::v4 ? 3 : 6;
    std::set<DatacenterIndex> found;
    for (const Service& s : m.services)
        for (const Endpoint& e : s.endpoints)
            for (const IpAddress& other : e.addresses)
                if (other.family == a.family &&
                    std::equal(a.bytes.begin(), a.bytes.begin() + octets, other.bytes.begin()))
                    found.insert(e.datacenter);
    return found.size() == 1 ? std::optional(*found.begin()) : std::nullopt;
}

void spread_of_name_servers(std::size_t z, Binding& b) {
    const auto& addresses = b.zones[z].name_server_addresses;
    if (addresses.empty() || b.model.datacenters.size() < 2 ||
        std::all_of(addresses.begin(), addresses.end(), loopback))
        return;
    std::set<std::optional<DatacenterIndex>> where;
    for (const IpAddress& a : addresses) where.insert(located(a, b.model));
    const bool one_server = b.zones[z].name_servers == 1;
    if (!one_server && (where.size() != 1 || !*where.begin())) return;
    b.problems.warning(b.zones[z].place,
                       one_server ? "one name server: when it is lost nobody is answered, whatever is fit"
                                  : "all name servers are in the datacenter " +
                                        b.model.datacenters[**where.begin()].name +
                                        ": when it is lost nobody is answered");
}

/// What is said and can mean nothing.
void is_heeded(const Service& s, const ServiceNotes& notes, Binding& b) {
    auto* order = std::get_if<ActivePassive>(&s.policy);
    if (!s.ramp.steps.empty() && (order || std::holds_alternative<All>(s.policy)))
        b.problems.warning(notes.policy, std::string("`ramp` has no effect under the policy ") +
                                             (order ? "active_passive: one site has all clients"
                                                    : "all: every client has all sites"));
    if (order && !order->follow_primary && !order->order.empty() &&
        s.endpoints[order->order.front()].weight == 0)
        b.problems.warning(notes.endpoints[order->order.front()],
                           "weight 0 excludes the endpoint that `order` names first");
    for (std::size_t e = 0; e < s.endpoints.size(); ++e)
        for (const Family family : {Family::v4, Family::v6}) {
            const auto all = static_cast<std::size_t>(
                std::count_if(s.endpoints[e].addresses.begin(), s.endpoints[e].addresses.end(),
                              [&](const IpAddress& a) { return a.family == family; }));
            if (all == 0 || s.min_healthy.count <= all) continue;
            b.problems.warning(notes.endpoints[e],
                               "min_healthy: " + std::to_string(s.min_healthy.count) + " of " +
                                   std::to_string(all) + (family == Family::v4 ? " IPv4" : " IPv6") +
                                   (all == 1 ? " address" : " addresses") + ": it means all of them here");
        }
}

void services(Binding& b) {
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        const Service& s = b.model.services[i];
        negative_ttl(s, b.services[i], b);
        if (!b.services[i].usable) continue;
        strong_needs_three(s, b.services[i], b);
        objectives_are_possible(s, b.services[i], b);
        is_heeded(s, b.services[i], b);
        one_runs_the_runbook(s, b.services[i], b);
    }
}

/// Looks a second that one thread is good for. Measured: plain HTTP with a new connection each costs 90 us of
/// a core, so 5,000 are less than half of one (tests/bench/health.py). The other half is for TLS, which costs
/// some times as much, and for the day on which many fail at once and each is looked at three times in a
/// second.
constexpr double looks_a_thread = 5000;

/// H10: more looks than its threads are good for would come late, and what is late is not believed.
void ceiling_of_looks(Binding& b) {
    double a_second = 0;
    std::set<std::string> seen; // identical ones run once
    const auto count = [&](const Service& s, const Endpoint& e, CheckIndex c) {
        for (const ProbeSpec& p : probe_specs(b.model, s, e, c))
            if (!std::holds_alternative<PushCheck>(p.check->kind) && seen.insert(p.key()).second)
                a_second += 1 / std::chrono::duration<double>(p.check->timing.interval).count();
    };
    for (std::size_t i = 0; i < b.model.services.size(); ++i) {
        const Service& s = b.model.services[i];
        if (!b.services[i].usable) continue;
        for (const Endpoint& e : s.endpoints)
            for (const auto* tier : {&s.application, &s.stateful})
                if (*tier && is_checked(s, e))
                    each_check(**tier, [&](CheckIndex c, bool) { count(s, e, c); });
    }
    const unsigned threads = b.model.probes.threads;
    if (a_second <= looks_a_thread * threads) return;
    const auto text = [](double n) { return std::to_string(static_cast<long>(std::ceil(n))); };
    b.problems.warning({b.file}, text(a_second) + " looks a second are more than " + std::to_string(threads) +
                                     (threads == 1 ? " thread is" : " threads are") + " good for (" +
                                     text(looks_a_thread) +
                                     " each, 10,000 checks at 2 s): say `probes: {threads: " +
                                     text(a_second / looks_a_thread) + "}` or longer intervals");
}

} // namespace

void review(Binding& b) {
    services(b);
    cname_stands_alone(b);
    clients_are_known(b);
    self_doubt(b);
    ceiling_of_looks(b);
    for (std::size_t z = 0; z < b.zones.size(); ++z) spread_of_name_servers(z, b);
    if (b.model.zones.empty() && b.problems.ok())
        b.problems.warning({b.file}, "no `zones`: nothing will be answered");
}

} // namespace fairway::load
