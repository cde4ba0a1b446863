// What approving a switch means: how old the data are, what may be lost, and what the target would bear.
#include "policies/engine_state.hpp"
#include "policies/what_if.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace fairway::policies {

namespace {

WhatIf::Shares shares_of(const ServiceReport& s) {
    WhatIf::Shares shares;
    for (const EndpointReport& e : s.endpoints)
        if (e.share > 0) shares.emplace_back(e.datacenter, e.share);
    return shares;
}

/// "west would bear 1180 of 1000, 118 % of its capacity; now 610". Empty: nothing reports its load.
std::string load_then(const Report& r, const Model& model, const std::string& service,
                      const std::string& to) {
    const std::vector<Burden> now = burdens_of(r);
    std::vector<std::pair<WhatIf::Shares, WhatIf::Shares>> moves;
    for (const ServiceReport& s : r.services) {
        const WhatIf::Shares is = shares_of(s);
        moves.emplace_back(is, s.name == service ? WhatIf::Shares{{to, 1.0}} : is);
    }
    const auto then = predicted(now, r.loads, moves, model);
    for (std::size_t i = 0; i < now.size(); ++i) {
        if (now[i].site != to || !then[i].load) continue;
        std::array<char, 160> text{};
        const auto& capacity = r.datacenters[i].capacity;
        if (capacity && *capacity > 0)
            std::snprintf(text.data(), text.size(),
                          " would bear %.6g of %.6g, %.0f %% of its capacity; now %.6g", *then[i].load,
                          *capacity, 100 * *then[i].load / *capacity, now[i].load.value_or(0));
        else
            std::snprintf(text.data(), text.size(), " would bear %.6g; now %.6g", *then[i].load,
                          now[i].load.value_or(0));
        return to + text.data();
    }
    return {};
}

} // namespace

std::vector<std::string> Engine::at_stake(const std::string& switch_id, Now now) const {
    std::vector<std::string> lines;
    for (const ServiceState& s : state_->services) {
        if (!s.running || s.running->id != switch_id) continue;
        const ServiceContext c = state_->context(s.index, now);
        for (EndpointIndex e = 0; e < s.endpoints.size(); ++e) {
            if (c.model.datacenter_of(c.service, e).name != s.running->to) continue;
            if (const auto lag = lag_of(c, e))
                lines.push_back("lag of " + s.running->to + ": " + brief(*lag));
            if (c.service.stateful) {
                const auto risk = rpo_guard(s, c, e);
                lines.push_back(risk ? "data: " + *risk : "data: nothing beyond max_lag is at risk");
            }
        }
        if (auto load = load_then(report(now), model(), c.service.title(), s.running->to); !load.empty())
            lines.push_back("load: " + load);
    }
    return lines;
}

} // namespace fairway::policies
