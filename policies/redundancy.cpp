#include "policies/redundancy.hpp"

#include <set>

namespace fairway::policies {

std::string failure_domain(const Datacenter& d) {
    return d.region.empty() && d.zone.empty() ? d.name : d.region + '/' + d.zone;
}

namespace {

bool needs_majority(const Service& s) {
    return s.consistency == Service::Consistency::strong && s.stateful &&
           !std::holds_alternative<ActivePassive>(s.policy);
}

} // namespace

Redundancy redundancy(const Model& model, const Service& service, const std::vector<bool>& able) {
    std::set<std::string> all, left;
    for (EndpointIndex e = 0; e < service.endpoints.size(); ++e) {
        if (!named(service, e)) continue;
        const std::string domain = failure_domain(model.datacenter_of(service, e));
        all.insert(domain);
        if (able[e]) left.insert(domain);
    }
    auto others = [](std::size_t n) { return static_cast<unsigned>(n > 0 ? n - 1 : 0); };
    if (!needs_majority(service)) return {others(left.size()), others(all.size())};
    const auto tolerated = others(all.size()) / 2, gone = static_cast<unsigned>(all.size() - left.size());
    return {tolerated > gone ? tolerated - gone : 0, tolerated};
}

std::string missed_objectives(const Service& service, const Standing& now) {
    std::string why;
    auto add = [&](const std::string& text) { why += (why.empty() ? "" : "; ") + text; };
    if (service.objectives.rto && now.redundancy.survives == 0)
        add("rto " + brief(*service.objectives.rto) + ": no other failure domain could take over");
    const auto& rpo = service.objectives.rpo;
    if (rpo && now.store && !now.lag) add("rpo " + brief(*rpo) + ": no standby's lag is known");
    if (rpo && now.lag && *now.lag > *rpo)
        add("rpo " + brief(*rpo) + ": replication is " + brief(*now.lag) + " behind");
    return why;
}

} // namespace fairway::policies
