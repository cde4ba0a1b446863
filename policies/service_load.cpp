// The stage that moves traffic away from sites that have too much to do, and what is known of their load.
#include "policies/service.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

namespace fairway::policies {

namespace {

/// A load is believed for two intervals and a timeout, as a claim to be primary is (L13).
bool fresh(const MemberState& m, Instant now) {
    const CheckTiming& t = m.spec.check->timing;
    return m.load && now - m.load_at <= 2 * t.interval + t.timeout;
}

std::string percent(double part) { return std::to_string(std::lround(part * 100)) + "%"; }

/// 950, 0.5, 12000000: as few digits as tell it.
std::string plain(double d) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), d == std::floor(d) && d < 1e15 ? "%.0f" : "%.3g", d);
    return text.data();
}

void tell_limit(Turn& t, EndpointIndex e, double before, const LoadedSite& site) {
    const double limit = t.s.shedding.limits[e];
    std::string why = t.datacenter(e) + " is at " + percent(site.use.value_or(0)) + " of its capacity, ";
    if (limit == 1) why += "and gets its whole share again";
    else
        why += (limit < before ? "above " : "below ") + percent(*t.c.service.load->shed_above) +
               ": it keeps at most " + percent(limit) + " of the answers, the rest goes elsewhere";
    t.because(e, std::move(why));
    auto& said = t.say(Change::load_shed, limit < before ? Severity::warning : Severity::info, t.why);
    said.datacenter = t.datacenter(e);
    said.from = percent(before);
    said.to = percent(limit);
}

} // namespace

std::optional<double> capacity_of(const ServiceContext& c, EndpointIndex e) {
    const Endpoint& endpoint = c.service.endpoints[e];
    const auto given =
        endpoint.capacity ? endpoint.capacity : c.model.datacenters[endpoint.datacenter].capacity;
    return given && *given > 0 ? given : std::nullopt;
}

std::optional<SiteLoad> load_of(const ServiceContext& c, EndpointIndex e) {
    const auto& members = c.bound[e].load;
    if (members.empty()) return std::nullopt;
    double sum = 0;
    for (MemberSlot slot : members) {
        if (!fresh(c.members[slot], c.now.mono)) return std::nullopt;
        sum += *c.members[slot].load;
    }
    SiteLoad known{.load = sum, .capacity = capacity_of(c, e)};
    const bool parts = std::holds_alternative<AgentCheck>(c.model.checks[c.service.load->from]->kind);
    if (parts) known.capacity.reset();
    if (!known.capacity) known.load /= static_cast<double>(members.size()); // the mean of parts
    return known;
}

std::vector<LoadedSite> loaded_sites(const ServiceState& s, const ServiceContext& c) {
    std::vector<LoadedSite> sites(s.endpoints.size());
    const auto most = most_shares(s.plan, sites.size());
    for (EndpointIndex e = 0; e < sites.size(); ++e) {
        sites[e] = {.fit = s.endpoints[e].fit || s.endpoints[e].pressed, .share = most[e]};
        if (auto known = load_of(c, e)) sites[e].use = known->use();
    }
    return sites;
}

std::string load_text(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    std::string text = c.model.datacenter_of(c.service, e).name;
    const auto known = load_of(c, e);
    if (!known) text += " of unknown load";
    else if (known->capacity)
        text += " at " + percent(known->use()) + " of its capacity (" + plain(known->load) + " of " +
                plain(*known->capacity) + ")";
    else text += " at " + percent(known->use()) + " of its capacity";
    const double limit = e < s.shedding.limits.size() ? s.shedding.limits[e] : 1;
    if (limit < 1) text += ", it keeps at most " + percent(limit) + " of the answers";
    return text;
}

std::optional<Instant> load_unknown_since(const ServiceState& s, const ServiceContext& c, EndpointIndex e) {
    if (!c.service.load || c.bound[e].load.empty() || load_of(c, e)) return std::nullopt;
    Instant since = s.born;
    bool just_begun = false;
    for (MemberSlot slot : c.bound[e].load) {
        const CheckTiming& t = c.members[slot].spec.check->timing;
        since = std::max(since, c.members[slot].load_at);
        just_begun |= c.now.mono - s.born < 2 * t.interval + t.timeout;
    }
    return just_begun ? std::nullopt : std::optional(since);
}

std::vector<DatacenterReport> datacenter_loads(const Model& model, std::span<const ServiceContext> services,
                                               std::span<const ServiceReport> reports) {
    std::vector<DatacenterReport> all;
    for (const Datacenter& d : model.datacenters) all.push_back({.name = d.name, .capacity = d.capacity});
    std::set<MemberSlot> counted;
    for (std::size_t i = 0; i < services.size(); ++i) {
        const ServiceContext& c = services[i];
        for (EndpointIndex e = 0; e < c.bound.size(); ++e) {
            DatacenterReport& dc = all[c.service.endpoints[e].datacenter];
            const double share = reports[i].endpoints[e].share;
            dc.services += share;
            dc.answers += share > 0;
            const auto known = load_of(c, e);
            if (!known) continue;
            if (known->capacity && dc.capacity) {
                for (MemberSlot slot : c.bound[e].load)
                    if (counted.insert(slot).second) dc.load = dc.load.value_or(0) + *c.members[slot].load;
                dc.use = *dc.capacity > 0 ? std::optional(*dc.load / *dc.capacity) : std::nullopt;
            } else dc.use = std::max(dc.use.value_or(0), known->use());
        }
    }
    return all;
}

std::vector<LoadReport> load_reports(const Model& model, std::span<const ServiceContext> services) {
    std::map<MemberSlot, LoadReport> known;
    for (std::size_t i = 0; i < services.size(); ++i) {
        const ServiceContext& c = services[i];
        for (EndpointIndex e = 0; e < c.bound.size(); ++e) {
            const Datacenter& dc = model.datacenters[c.service.endpoints[e].datacenter];
            if (!c.service.load || !dc.capacity || !capacity_of(c, e)) continue;
            if (std::holds_alternative<AgentCheck>(c.model.checks[c.service.load->from]->kind)) continue;
            for (MemberSlot slot : c.bound[e].load) {
                if (!c.members[slot].load) continue;
                LoadReport& r = known[slot];
                r.datacenter = dc.name;
                r.load = *c.members[slot].load;
                if (r.services.empty() || r.services.back() != i) r.services.push_back(i);
            }
        }
    }
    std::vector<LoadReport> all;
    for (auto& [slot, r] : known) {
        const auto here = [&](auto& other) { return other.second.datacenter == r.datacenter; };
        const auto* target = std::get_if<std::string>(&services.front().members[slot].spec.target);
        const bool of_site = target && *target == r.datacenter && std::ranges::count_if(known, here) == 1;
        for (std::size_t i = 0; of_site && i < services.size(); ++i)
            if (std::ranges::find(r.services, i) == r.services.end()) r.services.push_back(i);
        all.push_back(r);
    }
    return all;
}

// Delays and brakes are not waited for, and nobody is left without an answer: limits are shares of what there
// is.
void shed_load(Turn& t) {
    if (!t.c.service.load || !t.s.served || t.s.all_down || t.s.running || t.c.doubt) return;
    const auto sites = loaded_sites(t.s, t.c);
    const auto before = t.s.shedding.limits;
    const ShedStep step = shed(t.s.shedding, sites, *t.c.service.load, t.c.now.mono);
    for (EndpointIndex e : step.moved) tell_limit(t, e, e < before.size() ? before[e] : 1, sites[e]);
    if (step.due) t.due(*step.due);
    t.noted |= !step.moved.empty();
}

} // namespace fairway::policies
