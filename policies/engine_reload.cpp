// A reload: what an unchanged service knew, decided and answered goes over to the new model (H11).
#include "policies/engine_state.hpp"

#include <algorithm>

namespace fairway::policies {

namespace {

std::optional<EndpointIndex> same_site(const Model& old_model, const Service& old_service, EndpointIndex e,
                                       const Model& model, const Service& service) {
    const std::string& dc = old_model.datacenter_of(old_service, e).name;
    for (EndpointIndex n = 0; n < service.endpoints.size(); ++n)
        if (model.datacenter_of(service, n).name == dc) return n;
    return std::nullopt;
}

/// What each class of the old model had, for those of the new one.
template<class T> std::vector<T> inherited(const std::vector<T>& had, const Handover& models) {
    if (had.empty()) return {};
    std::vector<T> have;
    for (ClientClassIndex k : models.heirs) have.push_back(had[k < had.size() ? k : 0]);
    return have;
}

/// The plan in the new model's endpoint numbers, so that only what really changed is told.
AnswerPlan moved_plan(const ServiceState& from, const ServiceState& to, const Handover& models) {
    AnswerPlan plan = from.plan;
    const Model &old_model = models.before, &model = models.after;
    const Service &before = old_model.services[from.index], &after = model.services[to.index];
    std::vector<Choice> left;
    std::vector<std::uint16_t> number(plan.choices.size(),
                                      0); // clients of a site that is gone get the first there is
    for (std::size_t i = 0; i < plan.choices.size(); ++i) {
        Choice k = plan.choices[i];
        auto e = k.endpoint == no_endpoint ? std::optional(no_endpoint)
                                           : same_site(old_model, before, k.endpoint, model, after);
        if (!e) continue;
        k.endpoint = *e;
        number[i] = static_cast<std::uint16_t>(left.size());
        left.push_back(std::move(k));
    }
    bool nothing_left = left.empty() && !plan.choices.empty();
    if (nothing_left) return {};
    plan.choices = std::move(left);
    if (plan.kind == AnswerPlan::Kind::by_client)
        for (auto& k : plan.by_client) k = number[k];
    for (Pool& pool : plan.pools)
        for (Pool::Member& m : pool.members) m.choice = number[m.choice];
    plan.by_client = inherited(plan.by_client, models);
    return plan;
}

/// Which sites a plan answers, in the order of their names.
std::set<std::string> sites_of(const AnswerPlan& plan, const Model& model, ServiceIndex s) {
    std::set<std::string> sites;
    for (const Choice& k : plan.choices)
        if (k.endpoint != no_endpoint) sites.insert(model.datacenter_of(model.services[s], k.endpoint).name);
    return sites;
}

std::string joined(const std::set<std::string>& sites) {
    std::string text;
    for (const std::string& s : sites) text += (text.empty() ? "" : ", ") + s;
    return text.empty() ? "nothing" : text;
}

/// A reload that takes a site out of a service changes its answer: that has a transition too.
void tell_reloaded(Effects& out, const Model& old_model, const std::vector<ServiceState>& old_services,
                   const Model& model, const std::vector<ServiceState>& services, Now now) {
    for (const ServiceState& s : services) {
        const std::string name = model.services[s.index].title();
        const auto o = old_model.find_titled(name);
        bool told = std::ranges::any_of(
            out.transitions, [&](auto& t) { return t.change == Change::plan_changed && t.service == name; });
        if (!o || told) continue;
        auto before = sites_of(old_services[*o].plan, old_model, *o),
             after = sites_of(s.plan, model, s.index);
        if (before != after)
            out.transitions.push_back(
                {.change = Change::plan_changed,
                 .service = name,
                 .from = joined(before),
                 .to = joined(after),
                 .reason = s.frozen ? "the configuration no longer has what is answered; a freeze keeps it"
                                    : "the configuration has changed",
                 .decided = now.mono});
    }
}

} // namespace

void carry_over(ServiceState& to, ServiceState& from, const Handover& models, Now now) {
    const Model &old_model = models.before, &model = models.after;
    restore(to, record_of(from, old_model, now), model, now);
    to.keeps_plan = from.served || from.keeps_plan;
    to.warm = to.keeps_plan || from.warm;
    to.all_down = from.all_down;
    to.all_excluded = from.all_excluded;
    to.all_down_since = from.all_down_since;
    to.awaiting_failback = from.awaiting_failback;
    to.partial_failure = from.partial_failure;
    if (!from.frozen) to.plan = moved_plan(from, to, models);
    else { // is answered as it was
        to.plan.by_client = inherited(from.frozen->by_client, models);
        to.frozen = to.plan;
    }
    if (!to.keeps_plan) to.born = from.born;
    to.plan_since = from.plan_since;
    to.reason = from.reason;
    to.answered = from.answered;
    to.fingerprint = from.fingerprint;
    to.resumes = from.resumes;
    to.hook_running = from.hook_running && to.running;
    to.rejoin_running = from.rejoin_running && to.rejoin;
    to.orphan = from.hook_running && !to.running ? from.running->id : from.orphan;
    to.unclaimed_since = from.unclaimed_since;
    to.no_primary = from.no_primary;
    to.no_primary_critical = from.no_primary_critical;
    to.active_since = from.active_since;
    to.noise = from.noise;
    to.previous = inherited(from.previous, models);
    auto moved = [&](const std::vector<EndpointIndex>& list) {
        std::vector<EndpointIndex> result;
        for (EndpointIndex e : list)
            if (auto n =
                    same_site(old_model, old_model.services[from.index], e, model, model.services[to.index]))
                result.push_back(*n);
        return result;
    };
    to.group_held = from.group_held;
    to.group_held_since = from.group_held_since;
    to.redundancy = from.redundancy;
    to.redundancy_since = from.redundancy_since;
    to.missed = from.missed;
    to.missed_since = from.missed_since;
    to.primaries = moved(from.primaries);
    to.refused_claims = moved(from.refused_claims);
    for (auto& e : to.previous) // by endpoint number: only good if the sites still are what they were
        if (e && moved({*e}) != std::vector{*e}) e.reset();
    for (EndpointIndex o = 0; o < from.endpoints.size(); ++o)
        if (auto e =
                same_site(old_model, old_model.services[from.index], o, model, model.services[to.index])) {
            to.endpoints[*e] = from.endpoints[o];
            to.endpoints[*e].assessment = {};
        }
}

Effects Engine::reload(ModelPtr model, Now now) {
    auto& st = *state_;
    Effects out;
    if (st.drill && !st.drill->over) st.end_drill(out, "the configuration is read anew", Severity::info, now);
    ModelPtr old = st.model;
    auto old_members = std::move(st.members);
    auto old_services = st.services;
    st.adopt(std::move(model), {}, now, std::move(old_members), old_services, old.get());
    out.aliases = !st.aliases.empty();
    st.review_doubt(out, now);
    out.append(st.settle(now));
    tell_reloaded(out, *old, old_services, *st.model, st.services, now);
    out.plans.clear();
    for (ServiceIndex s = 0; s < st.services.size(); ++s) out.plans.push_back(s);
    return out;
}

} // namespace fairway::policies
