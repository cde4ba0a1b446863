// Aliases in the engine: whose addresses they are, and when the model takes them over.
#include "policies/engine_state.hpp"

#include <algorithm>
#include <set>

namespace fairway::policies {

namespace {

/// Members are bound anew at most so often, however many names change: it is work for all members.
constexpr Duration rebind_every = 1s;

std::string text_of(const std::vector<IpAddress>& addresses) {
    std::string text;
    for (const IpAddress& a : addresses) text += (text.empty() ? "" : ", ") + a.to_string();
    return text.empty() ? "nothing" : text;
}

/// Of a half those of its family; a name that has none of them is nothing that it could answer.
void put_addresses(Endpoint& e, std::vector<IpAddress> addresses, std::optional<Family> family) {
    const bool resolved = !addresses.empty();
    if (family) std::erase_if(addresses, [&](const IpAddress& a) { return a.family != *family; });
    e.addresses = std::move(addresses);
    if (resolved && e.addresses.empty()) e.alias.reset();
}

/// The configuration with what its aliases have; itself where there are none.
ModelPtr with_addresses(const ModelPtr& configured, const std::map<AliasKey, AliasState>& aliases) {
    if (aliases.empty()) return configured;
    auto model = std::make_shared<Model>(*configured);
    for (const auto& [key, a] : aliases)
        put_addresses(model->services[a.service].endpoints[a.endpoint], a.alias.addresses(),
                      model->services[a.service].family);
    return model;
}

Transition about(const AliasKey& key, Change change, Severity severity, std::string reason, Now now) {
    return {.change = change,
            .severity = severity,
            .service = key.service,
            .datacenter = key.datacenter,
            .subject = key.name,
            .reason = std::move(reason),
            .decided = now.mono};
}

/// Does a look at `address` pass, as the last turn saw it? Where nothing looks, all do.
bool passes(const IpAddress& address, const Endpoint& e, const EndpointState& state,
            const BoundEndpoint& bound) {
    const bool looked_at =
        std::ranges::any_of(bound.application, [](const BoundCheck& b) { return b.per_address; });
    if (!looked_at) return true;
    const auto found = std::ranges::find(e.addresses, address);
    const auto i = static_cast<std::size_t>(found - e.addresses.begin());
    return i < state.assessment.healthy.size() && state.assessment.healthy[i];
}

} // namespace

void Engine::State::adopt_aliases(const Restored& restored, Now now) {
    auto before = std::exchange(aliases, {});
    for (ServiceIndex s = 0; s < configured->services.size(); ++s) {
        const Service& service = configured->services[s];
        for (EndpointIndex e = 0; e < service.endpoints.size(); ++e) {
            if (!service.endpoints[e].alias) continue;
            AliasKey key{service.title(), configured->datacenter_of(service, e).name,
                         service.endpoints[e].alias->to_string()};
            auto known = before.find(key);
            AliasState a{known == before.end() ? Alias{.resolved = now.mono} : std::move(known->second.alias),
                         s, e};
            aliases.emplace(std::move(key), std::move(a));
        }
    }
    for (const AliasRecord& r : restored.aliases)
        if (auto a = aliases.find({r.service, r.datacenter, r.name}); a != aliases.end()) {
            NameObservation known{.name = r.name, .addresses = r.addresses, .v4 = true, .v6 = true};
            known.at = now.mono;
            resolve(a->second.alias, known);
        }
    realiased.clear();
    model = with_addresses(configured, aliases);
}

void Engine::State::note(const NameObservation& seen, Effects& out, Now now) {
    for (auto& [key, a] : aliases) {
        if (key.name != seen.name) continue;
        const auto before = a.alias.found;
        if (resolve(a.alias, seen)) realiased.push_back(a.service);
        if (a.alias.found != before) {
            out.transitions.push_back(
                about(key, Change::alias_changed, Severity::info, key.name + " has other addresses", now));
            out.transitions.back().from = text_of(before);
            out.transitions.back().to = text_of(a.alias.found);
        }
        if (!seen.addresses.empty() && std::exchange(a.alias.failing, false))
            out.transitions.push_back(
                about(key, Change::alias_resolves, Severity::info, key.name + " is resolved again", now));
    }
}

bool Engine::State::review_aliases(Effects& out, Now now) {
    for (auto& [key, a] : aliases) {
        const Endpoint& e = model->services[a.service].endpoints[a.endpoint];
        const auto family = model->services[a.service].family;
        const auto passing = [&](const IpAddress& address) {
            if (family && address.family != *family) return true; // the other half looks at it
            return passes(address, e, services[a.service].endpoints[a.endpoint],
                          binding.services[a.service][a.endpoint]);
        };
        if (let_go(a.alias, passing)) realiased.push_back(a.service);
        if (a.alias.failing || now.mono < fails_at(a.alias)) continue;
        a.alias.failing = true;
        out.transitions.push_back(
            about(key, Change::alias_failing, Severity::warning,
                  key.name + " cannot be resolved (" + a.alias.error + "); the addresses it had are answered",
                  now));
    }
    if (realiased.empty() || now.mono < rebound + rebind_every) return false;
    rebound = now.mono;
    rebind();
    out.aliases = out.members_changed = true;
    return true;
}

/// The same services, endpoints and checks; other addresses, and so other members.
void Engine::State::rebind() {
    model = with_addresses(configured, aliases);
    bind_members(std::move(members));
    for (ServiceIndex s : std::exchange(realiased, {})) mark(s);
}

Instant Engine::State::alias_due() const {
    Instant due = realiased.empty() ? Instant::max() : rebound + rebind_every;
    for (const auto& [key, a] : aliases)
        if (!a.alias.failing) due = std::min(due, fails_at(a.alias));
    return due;
}

Effects Engine::resolved(std::span<const NameObservation> seen, Now now) {
    Effects out;
    for (const NameObservation& n : seen) state_->note(n, out, now);
    out.append(state_->settle(now));
    return out;
}

std::vector<std::string> Engine::names() const {
    std::set<std::string> all;
    for (const auto& [key, a] : state_->aliases) all.insert(key.name);
    return {all.begin(), all.end()};
}

std::vector<AliasRecord> Engine::aliases() const {
    std::vector<AliasRecord> all;
    for (const auto& [key, a] : state_->aliases)
        if (auto addresses = a.alias.addresses(); !addresses.empty())
            all.push_back({key.service, key.datacenter, key.name, std::move(addresses)});
    return all;
}

} // namespace fairway::policies
