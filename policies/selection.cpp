#include "policies/selection.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace fairway::policies {

AnswerPlan only(const Candidate& c) {
    return {.kind = AnswerPlan::Kind::draw, .choices = {{c.endpoint, c.addresses, 1, c.cname}}};
}

namespace {

/// The nearest that is worth leaving the one before for; the share of one that is lost is nobody's to keep
/// where it is spread.
Pool one_nearest(const Latency& p, const Ground& g, ClientClassIndex k, Previous& previous) {
    previous.resize(g.model.clients.classes.size());
    const ClientClass& clients = g.model.clients.classes[k];
    auto before = previous[k];
    const Chooser first = [&](std::span<const Candidate> list) {
        return nearest(p, {g.model, g.service, list}, clients, before);
    };
    const Pool pool = in_turn(first, g);
    const bool spread = g.service.lost_share == Service::LostShare::spread && pool.members.size() > 1;
    auto e = first(g.candidates);
    if (e && g.candidates[*e].fit && !spread) previous[k] = e;
    return pool;
}

Pool one_in_order(const ActivePassive& p, const Ground& g) {
    return in_turn([&](std::span<const Candidate> list) { return best_in_order(p, list); }, g);
}

/// The latched endpoint, while it can be used, is the first.
Pool one_latched(const ActivePassive& p, EndpointIndex active, const Ground& g) {
    if (!g.service.load && g.service.lost_share != Service::LostShare::spread) return {.members = {{active}}};
    const bool away = !p.order.empty() && p.order.front() != active;
    if (away && g.service.lost_share == Service::LostShare::spread && g.candidates[active].fit) {
        std::vector<Candidate> others(g.candidates.begin(), g.candidates.end());
        others[p.order.front()].usable = others[p.order.front()].fit = false; // awaits failback
        return one_in_order(p, {g.model, g.service, others});
    }
    const Chooser first = [&](std::span<const Candidate> list) {
        return list[active].usable ? std::optional(active) : best_in_order(p, list);
    };
    Pool pool = in_turn(first, g);
    return pool.members.empty() ? Pool{.members = {{active}}} : pool;
}

/// Puts pools of endpoints together to a plan: its choices are those endpoints that somebody gets.
class Assembly {
  public:
    explicit Assembly(const Ground& g) : g_(g), choice_of_(g.candidates.size()) {}

    void add(const Pool& pool) {
        auto [at, fresh] = known_.try_emplace(key_of(pool), static_cast<std::uint16_t>(plan_.pools.size()));
        if (fresh) plan_.pools.push_back(renumbered(pool));
        plan_.by_client.push_back(at->second);
    }

    AnswerPlan done(bool by_class) && {
        bool single = std::ranges::all_of(plan_.pools, [](auto& p) { return p.members.size() == 1; });
        if (!by_class) plan_.by_client.clear();
        if (!by_class && plan_.pools[0].how == Pool::How::draw) one_draw();
        else if (single) one_each();
        else plan_.kind = AnswerPlan::Kind::pooled;
        return std::move(plan_);
    }

  private:
    static std::vector<std::uint32_t> key_of(const Pool& pool) {
        std::vector<std::uint32_t> key{static_cast<std::uint32_t>(pool.how)};
        for (const Pool::Member& m : pool.members) key.insert(key.end(), {m.choice, m.weight});
        return key;
    }

    Pool renumbered(Pool pool) {
        for (Pool::Member& m : pool.members) {
            const Candidate& c = g_.candidates[m.choice];
            auto& choice = choice_of_[m.choice];
            if (!choice) {
                choice = static_cast<std::uint16_t>(plan_.choices.size());
                plan_.choices.push_back({c.endpoint, c.addresses, 1, c.cname});
            }
            m.choice = *choice;
        }
        return pool;
    }

    /// Each class has one choice: no pools are needed to say so.
    void one_each() {
        plan_.kind = plan_.by_client.empty() ? AnswerPlan::Kind::draw : AnswerPlan::Kind::by_client;
        for (auto& k : plan_.by_client) k = plan_.pools[k].members[0].choice;
        plan_.pools.clear();
    }

    void one_draw() {
        plan_.kind = AnswerPlan::Kind::draw;
        for (const Pool::Member& m : plan_.pools[0].members) plan_.choices[m.choice].weight = m.weight;
        plan_.pools.clear();
    }

    const Ground& g_;
    AnswerPlan plan_;
    std::map<std::vector<std::uint32_t>, std::uint16_t> known_;
    std::vector<std::optional<std::uint16_t>> choice_of_;
};

} // namespace

Pool pick(const Policy& policy, const Ground& g, ClientClassIndex k, Previous& previous) {
    if (auto* p = std::get_if<ActivePassive>(&policy)) return one_in_order(*p, g);
    if (auto* p = std::get_if<Weighted>(&policy)) return weighted(p->weights, g);
    if (auto* p = std::get_if<Latency>(&policy)) return one_nearest(*p, g, k, previous);
    if (auto* p = std::get_if<Geo>(&policy)) return geo(*p, g, k, previous);
    if (auto* p = std::get_if<Sticky>(&policy)) return sticky(p->weights, g);
    return std::holds_alternative<All>(policy) ? all(g.candidates) : round_robin(g);
}

AnswerPlan select(const Ground& g, std::optional<EndpointIndex> active, Previous& previous) {
    Assembly plan(g);
    if (auto* p = std::get_if<ActivePassive>(&g.service.policy); p && active) {
        std::vector<Candidate> whole(g.candidates.begin(), g.candidates.end());
        for (Candidate& c : whole) c.part = 1; // a failback is all or nothing
        plan.add(one_latched(*p, *active, {g.model, g.service, whole}));
        return std::move(plan).done(false);
    }
    bool by_class = topological(g.service.policy);
    for (std::size_t k = 0; k < (by_class ? g.model.clients.classes.size() : 1); ++k) {
        Pool pool = pick(g.service.policy, g, static_cast<ClientClassIndex>(k), previous);
        if (pool.members.empty()) return {};
        plan.add(pool);
    }
    return std::move(plan).done(by_class);
}

bool topological(const Policy& policy) {
    return std::holds_alternative<Latency>(policy) || std::holds_alternative<Geo>(policy);
}

namespace {

bool names(const Policy& policy, const Service& service, EndpointIndex e) {
    auto of = [&](const std::vector<unsigned>& w) {
        return w.empty() ? service.endpoints[e].weight > 0 : w[e] > 0;
    };
    if (auto* p = std::get_if<Weighted>(&policy)) return of(p->weights);
    if (auto* p = std::get_if<Sticky>(&policy)) return of(p->weights);
    if (auto* p = std::get_if<Geo>(&policy); p && !p->branches.empty())
        return std::ranges::any_of(p->branches, [&](auto& b) { return names(b.policy, service, e); });
    if (auto* p = std::get_if<ActivePassive>(&policy))
        return std::ranges::find(p->order, e) != p->order.end();
    return true;
}

} // namespace

bool named(const Service& service, EndpointIndex e) {
    if (service.follows_primary()) return true; // the role alone decides
    const Endpoint& endpoint = service.endpoints[e];
    if (service.family && endpoint.addresses.empty() && !endpoint.alias) return false;
    return endpoint.weight > 0 && names(service.policy, service, e);
}

bool has_family(const Service& service) {
    return !service.family || std::ranges::any_of(service.endpoints, [](const Endpoint& e) {
        return e.alias || !e.addresses.empty();
    });
}

std::vector<double> shares(const AnswerPlan& plan) {
    std::vector<double> share(plan.choices.size(), 0);
    auto give = [&](const Pool& pool, double part) {
        double total = 0;
        for (const Pool::Member& m : pool.members) total += m.weight;
        for (const Pool::Member& m : pool.members) share[m.choice] += part * m.weight / total;
    };
    double each = plan.by_client.empty() ? 1 : 1 / double(plan.by_client.size());
    if (plan.kind == AnswerPlan::Kind::pooled && plan.by_client.empty()) give(plan.pools[0], 1);
    else if (plan.kind == AnswerPlan::Kind::pooled)
        for (auto k : plan.by_client) give(plan.pools[k], each);
    else if (plan.kind == AnswerPlan::Kind::by_client)
        for (auto k : plan.by_client) share[k] += each;
    else {
        double total = 0;
        for (const Choice& c : plan.choices) total += c.weight;
        for (std::size_t i = 0; i < share.size() && total > 0; ++i) share[i] = plan.choices[i].weight / total;
    }
    return share;
}

std::vector<double> most_shares(const AnswerPlan& plan, std::size_t endpoints) {
    std::vector<double> most(endpoints, 0);
    const auto note = [&](std::uint16_t choice, double share) {
        const EndpointIndex e = plan.choices[choice].endpoint;
        if (e < endpoints) most[e] = std::max(most[e], share);
    };
    if (plan.kind == AnswerPlan::Kind::by_client)
        for (auto k : plan.by_client) note(k, 1);
    else if (plan.kind == AnswerPlan::Kind::pooled)
        for (const Pool& pool : plan.pools) {
            double total = 0;
            for (const Pool::Member& m : pool.members) total += m.weight;
            for (const Pool::Member& m : pool.members) note(m.choice, m.weight / total);
        }
    else {
        const auto all = shares(plan);
        for (std::size_t i = 0; i < all.size(); ++i) note(static_cast<std::uint16_t>(i), all[i]);
    }
    return most;
}

std::string to_string(const Policy& policy) {
    constexpr std::array<const char*, std::variant_size_v<Policy>> words{
        "active_passive", "weighted", "round_robin", "latency", "geo", "sticky", "all"};
    return words[policy.index()];
}

} // namespace fairway::policies
