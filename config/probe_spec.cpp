#include "config/probe_spec.hpp"

namespace fairway {

namespace {

ProbeSpec spec(const Model& model, const Service& s, const Endpoint& e, CheckIndex c, const Target& target) {
    const CheckPtr& check = model.checks[c];
    ProbeSpec p{.check = check, .target = target.host, .datacenter = model.datacenters[e.datacenter].name};
    p.port = target.port.value_or(check->port.value_or(default_port(check->kind).value_or(0)));
    if (std::holds_alternative<PushCheck>(check->kind)) p.target = p.datacenter; // it speaks for itself
    auto [host, sni] = asked_of(check->kind, s.name.to_string());
    p.host = std::move(host);
    p.sni = std::move(sni);
    return p;
}

} // namespace

std::vector<ProbeSpec> probe_specs(const Model& model, const Service& s, const Endpoint& e, CheckIndex c) {
    std::vector<ProbeSpec> specs;
    const auto named = e.targets.find(c);
    if (named != e.targets.end())
        for (const Target& t : named->second) specs.push_back(spec(model, s, e, c, t));
    else
        for (std::size_t i = 0; i < e.checked(); ++i)
            specs.push_back(spec(model, s, e, c, {e.addresses[i], std::nullopt}));
    return specs;
}

bool is_checked(const Service& s, const Endpoint& e) { return !e.unchecked && !s.unchecked; }

} // namespace fairway
