// How an engine comes to be: its members bound to a model, its services, and what the store gave back (L20).
#include "config/enclosing.hpp"
#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

/// For this long after it was known health is a truth; later it is a hint (L20).
constexpr Duration health_is_true_for = 60s;

MemberId next_id(std::vector<std::int32_t>& slot_of) {
    slot_of.push_back(-1);
    return static_cast<MemberId>(slot_of.size() - 1);
}

/// The same service in another model; one whose families were, or are now, together goes on from there.
std::optional<ServiceIndex> predecessor(const Model& old_model, const Service& service) {
    const auto same = old_model.find_service(Title{service.name, service.family});
    return same ? same : old_model.find_service(service.name);
}

void depend(std::vector<MemberState>& members, const BoundEndpoint& bound, ServiceIndex s) {
    for (auto* tier : {&bound.application, &bound.stateful})
        for (const BoundCheck& b : *tier)
            for (MemberSlot slot : b.members)
                if (auto& list = members[slot].services; list.empty() || list.back() != s) list.push_back(s);
    for (MemberSlot slot : bound.load)
        if (auto& list = members[slot].services; list.empty() || list.back() != s) list.push_back(s);
}

} // namespace

void Engine::State::bind_members(std::vector<MemberState> old_members) {
    binding = bind(*model);
    std::unordered_map<std::string, MemberState*> known;
    for (MemberState& m : old_members) known.emplace(m.spec.key(), &m);
    // Doubt lasts, with the witnesses that are left, and so does what waits for them.
    std::vector<MemberId> doubted;
    for (MemberSlot slot : doubt.witnesses) doubted.push_back(old_members[slot].id);

    members.clear();
    told.clear();
    for (const ProbeSpec& spec : binding.probes) {
        MemberState m{.spec = spec, .datacenter = model->find_datacenter(spec.datacenter)};
        if (auto it = known.find(spec.key()); it != known.end()) {
            m.id = it->second->id;
            m.health = std::move(it->second->health);
            m.lag = it->second->lag;
            m.load = it->second->load;
            m.load_at = it->second->load_at;
            m.lags = std::move(it->second->lags);
            m.unlinked = it->second->unlinked;
            m.position = it->second->position;
            m.advanced = it->second->advanced;
        } else m.id = next_id(slot_of);
        members.push_back(std::move(m));
        told.push_back({members.back().id, spec});
    }
    std::ranges::fill(slot_of, -1);
    for (std::size_t i = 0; i < members.size(); ++i) slot_of[members[i].id] = static_cast<std::int32_t>(i);
    for (ServiceIndex s = 0; s < model->services.size(); ++s)
        for (const BoundEndpoint& e : binding.services[s]) depend(members, e, s);

    brink.clear(); // the next look at each brings it back
    doubt.witnesses.clear();
    for (MemberId id : doubted)
        if (slot_of[id] >= 0) doubt.witnesses.push_back(static_cast<MemberSlot>(slot_of[id]));
}

void Engine::State::adopt(ModelPtr next, const Restored& restored, Now now,
                          std::vector<MemberState> old_members, std::vector<ServiceState> old_services,
                          const Model* old_model) {
    configured = std::move(next);
    adopt_aliases(restored, now);
    bind_members(std::move(old_members));
    services.clear();
    std::optional<Handover> models;
    if (old_model) models.emplace(Handover{*old_model, *model, heirs(old_model->clients, model->clients)});
    for (ServiceIndex s = 0; s < model->services.size(); ++s) {
        services.push_back(fresh_state(s, *model, now.mono));
        if (models)
            if (auto o = predecessor(*old_model, model->services[s]))
                carry_over(services.back(), old_services[*o], *models, now);
    }
    dues.clear();
    marked.clear();
    dirty.assign(services.size(), 0);
    mark_all();
}

void Engine::State::restore(const Restored& restored, Now now) {
    overrides = restored.overrides;
    // A clock that was set back a little is none the worse; one that starts in the past proves nothing.
    auto age = restored.alive ? std::optional(now.wall - *restored.alive) : std::nullopt;
    warm = age && *age > -health_is_true_for && *age < health_is_true_for;
    std::unordered_map<std::string, const ServiceRecord*> written;
    for (const ServiceRecord& r : restored.services) written.emplace(r.service, &r);
    for (ServiceState& s : services) {
        s.warm = warm;
        const Service& service = model->services[s.index];
        auto r = written.find(service.title());
        if (r == written.end()) r = written.find(service.name.to_string()); // its families were together
        if (r != written.end()) policies::restore(s, *r->second, *model, now);
    }
    if (!warm) {
        for (const MemberRecord& r : restored.members) outdated.push_back({.key = r.key, .decided = false});
        return;
    }

    std::unordered_map<std::string, const MemberRecord*> known;
    for (const MemberRecord& r : restored.members) known.emplace(r.key, &r);
    for (MemberState& m : members) {
        auto it = known.find(m.spec.key());
        if (it == known.end()) continue;
        const MemberRecord& r = *it->second;
        if (!r.decided) continue;
        auto verdict = [](bool up) { return up ? Readiness::ready : Readiness::unready; };
        m.health.works = {verdict(r.up), now.at(r.since), r.passes, r.fails, now.at(r.run_since)};
        if (r.requirements_hold) m.health.meets.verdict = verdict(*r.requirements_hold);
        if (r.keeps_up) m.health.keeps_up.verdict = verdict(*r.keeps_up);
        if (r.degraded) m.health.whole = {.verdict = Readiness::unready, .since = now.mono};
        m.health.weight = r.weight;
        if (r.up) m.health.last_pass = now.mono; // a witness (L4): it passed less than a minute ago
    }
}

} // namespace fairway::policies
