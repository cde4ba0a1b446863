#include "policies/replica.hpp"

#include <algorithm>
#include <map>

namespace fairway::policies {

namespace {

constexpr Duration horizon = 2min;
constexpr Duration beat = 2s;
constexpr unsigned most_fall = 10; // of the quick looks: who asks for more failures gets them from the beats

bool is_down(std::span<const WhatIfQuestion::Down> down, const std::string& datacenter, const Service& s) {
    return std::ranges::any_of(
        down, [&](auto& d) { return d.datacenter == datacenter && means(d.service, s.title()); });
}

} // namespace

std::vector<MemberSlot> members_of(const BoundEndpoint& bound) {
    std::vector<MemberSlot> all;
    for (auto* tier : {&bound.application, &bound.stateful})
        for (const BoundCheck& b : *tier) all.insert(all.end(), b.members.begin(), b.members.end());
    return all;
}

Observation well(const Member& m, bool primary, Now now) {
    Observation o{
        .member = m.id, .outcome = Outcome::pass, .reason = Reason::ok, .begun = now.mono, .ended = now.mono};
    const Reports reports = reports_of(m.spec.check->kind);
    if (reports.role) {
        const Role wanted = m.spec.check->requirements.role.value_or(Role::standby);
        o.facts.role = primary ? Role::primary : wanted;
        o.facts.system = "assumed";
        o.facts.epoch = 1;
    }
    if (reports.quorum) o.facts.quorum = true;
    if (reports.lag && o.facts.role != Role::primary) o.facts.lag = 0s;
    return o;
}

std::set<MemberSlot> first_primaries(const Model& model, const Binding& binding,
                                     std::span<const WhatIfQuestion::Down> down) {
    std::set<MemberSlot> primaries;
    for (ServiceIndex s = 0; s < model.services.size(); ++s) {
        const Service& service = model.services[s];
        if (!service.follows_primary()) continue;
        const auto& order = std::get<ActivePassive>(service.policy).order;
        const auto first = std::ranges::find_if(order, [&](EndpointIndex e) {
            return !is_down(down, model.datacenter_of(service, e).name, service);
        });
        if (first == order.end()) continue;
        for (const BoundCheck& b : binding.services[s][*first].stateful)
            if (!b.members.empty()) primaries.insert(b.members.front());
    }
    return primaries;
}

void resolve_assumed(Engine& engine, std::span<const std::string> names, Now now) {
    for (const std::string& name : names) {
        const NameObservation seen{.name = name,
                                   .addresses = {*IpAddress::parse("192.0.2.1")},
                                   .v4 = true,
                                   .v6 = true,
                                   .ttl = 60s,
                                   .at = now.mono};
        engine.resolved({&seen, 1}, now);
    }
}

Replica::Replica(const Engine& engine, Now now) : engine_(engine.copy()), now_(now) {
    for (const MemberReport& m : engine_.report(now).members)
        if (m.last) seen_.push_back({*m.last, m.datacenter});
}

void Replica::lose(const std::set<std::string>& datacenters) {
    for (Seen& s : seen_) s.lost |= datacenters.contains(s.datacenter);
}

void Replica::take_down(std::span<const WhatIfQuestion::Down> down) {
    if (down.empty()) return;
    const Model& model = engine_.model();
    const Binding binding = bind(model);
    const auto members = engine_.members();
    std::set<MemberId> ids;
    for (ServiceIndex s = 0; s < model.services.size(); ++s)
        for (EndpointIndex e = 0; e < binding.services[s].size(); ++e)
            if (const Service& service = model.services[s];
                is_down(down, model.datacenter_of(service, e).name, service))
                for (MemberSlot slot : members_of(binding.services[s][e])) ids.insert(members[slot].id);
    for (Seen& s : seen_) s.lost |= ids.contains(s.last.member);
}

std::vector<std::string> Replica::reload(const ModelPtr& next) {
    using Target = std::pair<std::string, std::string>; // kind, target
    std::map<Target, Observation> known;
    for (const MemberReport& m : engine_.report(now_).members)
        if (m.last) known[{m.kind, m.target}] = *m.last;
    std::vector<std::string> names = engine_.names(), new_names;
    engine_.reload(next, now_);
    std::ranges::sort(names);
    for (const std::string& name : engine_.names())
        if (!std::ranges::binary_search(names, name)) new_names.push_back(name);
    resolve_assumed(engine_, new_names, now_);

    const auto primaries = first_primaries(engine_.model(), bind(engine_.model()), {});
    const auto members = engine_.members();
    const Report report = engine_.report(now_);
    std::vector<std::string> assumed;
    seen_.clear();
    for (MemberSlot i = 0; i < members.size(); ++i) {
        const MemberReport& m = report.members[i];
        const auto same = known.find({m.kind, m.target});
        Observation last = m.last                ? *m.last
                           : same != known.end() ? same->second
                                                 : well(members[i], primaries.contains(i), now_);
        last.member = members[i].id;
        if (!m.last && same == known.end()) assumed.push_back(m.check + " " + m.target);
        seen_.push_back({std::move(last), m.datacenter});
    }
    return assumed;
}

Report Replica::runs() {
    const Instant end = now_.mono + horizon;
    for (unsigned i = 0; i < most_fall; ++i) look(250ms); // what fails is looked at again at once
    while (now_.mono < end) look(beat);
    return engine_.report(now_);
}

void Replica::look(Duration later) {
    now_.mono += later;
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(later);
    if (engine_.next_due() <= now_.mono) engine_.tick(now_);
    std::vector<Observation> batch;
    for (const Seen& s : seen_) {
        Observation o = s.last;
        if (s.lost) o = {.member = o.member, .outcome = Outcome::fail, .reason = Reason::refused};
        o.begun = o.ended = now_.mono;
        batch.push_back(std::move(o));
    }
    engine_.observe(batch, now_);
}

} // namespace fairway::policies
