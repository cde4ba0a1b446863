#include "daemon/page/watched.hpp"

#include <algorithm>

namespace fairway::daemon::page {

namespace {

void collect(const std::optional<Expression>& e, std::set<CheckIndex>& checks) {
    if (!e) return;
    if (e->op == Expression::Op::check) checks.insert(e->check);
    for (const auto& operand : e->operands) collect(operand, checks);
}

std::string host_of(const Target& t) {
    if (const auto* address = std::get_if<IpAddress>(&t.host)) return address->to_string();
    return std::get<std::string>(t.host);
}

/// What a check looks at for an endpoint: its own targets, else the answered addresses (L6).
std::vector<std::string> hosts(const Model& model, const Endpoint& e, CheckIndex check) {
    std::vector<std::string> all;
    if (std::holds_alternative<PushCheck>(model.checks[check]->kind)) return {}; // a site speaks for itself
    if (const auto named = e.targets.find(check); named != e.targets.end())
        for (const auto& t : named->second) all.push_back(host_of(t));
    else
        for (const auto& a : e.addresses) all.push_back(a.to_string());
    return all;
}

/// How a check looks for an endpoint of a service.
struct Looked {
    CheckPtr check;
    std::string datacenter;
    std::vector<std::string> hosts; ///< none: whatever an alias has, or a check of its own
    std::string name;

    bool is(const ProbeSpec& p) const {
        if (p.check != check || p.datacenter != datacenter) return false;
        const auto asked = asked_of(check->kind, name);
        const auto* address = std::get_if<IpAddress>(&p.target);
        const std::string host = address ? address->to_string() : std::get<std::string>(p.target);
        return p.host == asked.host && p.sni == asked.sni &&
               (hosts.empty() || std::ranges::count(hosts, host) > 0);
    }
};

}

std::set<MemberId> members_of(const Model& model, const Service& service,
                              std::span<const policies::Member> all) {
    std::set<CheckIndex> checks;
    collect(service.application, checks);
    collect(service.stateful, checks);
    std::set<MemberId> found;
    for (const auto& e : service.endpoints)
        for (const CheckIndex c : checks) {
            const Looked looked{model.checks[c], model.datacenters[e.datacenter].name, hosts(model, e, c),
                                service.name.to_string()};
            for (const auto& m : all)
                if (looked.is(m.spec)) found.insert(m.id);
        }
    return found;
}

} // namespace fairway::daemon::page
