// Why a client gets the answer it gets: the same stages as a turn, each with what it kept and dropped.
#include "config/rendezvous.hpp"
#include "policies/all_down.hpp"
#include "policies/engine_state.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::policies {

namespace {

ClientClassIndex class_of(const Clients& clients, const std::optional<IpAddress>& client,
                          std::optional<Prefix>& by) {
    const Clients::Network* best = nullptr;
    if (client)
        for (const auto& n : clients.networks)
            if (n.prefix.contains(*client) && (!best || n.prefix.length > best->prefix.length)) best = &n;
    if (best) by = best->prefix;
    return best ? best->client_class : ClientClassIndex{0};
}

std::string percent(double part) { return std::to_string(std::lround(part * 100)) + "%"; }

class Explainer {
  public:
    Explainer(const ServiceState& s, const ServiceContext& c, Explanation& out) : s_(s), c_(c), out_(out) {}

    void tiers() {
        for (EndpointIndex e = 0; e < s_.endpoints.size(); ++e) {
            const EndpointState& state = s_.endpoints[e];
            tier("application", e, state.assessment.application);
            tier("stateful", e, state.assessment.stateful);
            if (state.excluded) line("override", dc(e), "dropped", unfit_reason(s_, c_, e));
            if (state.damping.suppressed && state.readiness == Readiness::ready)
                line("damping", dc(e), state.pressed ? "kept" : "dropped", unfit_reason(s_, c_, e));
            if (c_.service.load) load(e);
            if (state.together == Readiness::unready && state.readiness == Readiness::ready)
                line("group", dc(e), state.together_usable ? "kept" : "dropped", state.apart);
            if (state.braked) line("brake", dc(e), "kept", "unfit, but too many went at once");
            if (state.ramp_step) ramp(e);
        }
    }

    void policy() {
        if (!s_.served)
            return line("policy", "", "undecided",
                        "no answer yet: SERVFAIL for at most 10 s after the start");
        if (s_.frozen) {
            const Override* f = freezing_override(c_);
            line("policy", "", "kept",
                 f ? "frozen by " + f->operator_name + " (" + f->reason + ") until " +
                         fairway::to_string(f->expires) + ": the answer stays as it was"
                   : "frozen: the answer stays as it was");
        }
        if (!has_family(c_.service))
            return line("policy", "", "dropped", "no endpoint has an address of this family: NODATA");
        if (s_.all_excluded)
            return line("policy", "", "dropped", "everything is excluded by an operator: SERVFAIL");
        if (s_.all_down)
            return line("policy", "", "kept",
                        "nothing is fit: on_all_down is " +
                            std::string(to_string(c_.service.on_all_down.mode)));
        if (c_.service.follows_primary()) return followed();
        if (s_.active)
            line("policy", dc(*s_.active), "kept",
                 s_.awaiting_failback ? "latched; a better site awaits failback" : "latched");
        for (EndpointIndex e = 0; s_.active && e < s_.endpoints.size(); ++e)
            if (e != *s_.active && s_.endpoints[e].fit) line("policy", dc(e), "dropped", "stands by");
    }

    void client(const std::optional<IpAddress>& address) {
        std::optional<Prefix> by;
        ClientClassIndex k = class_of(c_.model.clients, address, by);
        if (s_.plan.by_client.empty())
            line("client", "", "kept", "the answer does not depend on where the client is");
        else place(k, by);
        if (s_.plan.kind == AnswerPlan::Kind::pooled)
            return pool(s_.plan.pools[s_.plan.by_client.empty() ? 0 : s_.plan.by_client.at(k)], address);
        if (s_.plan.kind != AnswerPlan::Kind::by_client) return draw();
        answer(s_.plan.choices[s_.plan.by_client.at(k)], 1, "first of those that are fit for clients there");
    }

  private:
    void tier(const char* stage, EndpointIndex e, Readiness r) {
        bool ready = r == Readiness::ready;
        const bool refused = std::ranges::find(s_.refused_claims, e) != s_.refused_claims.end();
        if (refused && s_.followed && stage == std::string_view("stateful"))
            return line(stage, dc(e), "dropped", refused_claim(e));
        line(stage, dc(e), ready ? "kept" : (r == Readiness::unready ? "dropped" : "undecided"),
             ready ? "its checks pass" : unfit_reason(s_, c_, e));
    }

    void ramp(EndpointIndex e) {
        const Ramp& r = c_.service.ramp;
        const EndpointState& state = s_.endpoints[e];
        const bool heeds = !std::holds_alternative<ActivePassive>(c_.service.policy) &&
                           !std::holds_alternative<All>(c_.service.policy);
        if (!heeds || *state.ramp_step >= r.steps.size()) return;
        const Duration left = std::max(state.ramp_since + r.hold - c_.now.mono, Duration{});
        line("ramp", dc(e), "limited",
             percent(r.steps[*state.ramp_step]) + " of its share, step " +
                 std::to_string(*state.ramp_step + 1) + " of " + std::to_string(r.steps.size()) +
                 " after its return; the next in " + brief(left) + " if its checks stay well");
    }

    void load(EndpointIndex e) {
        const bool limited = e < s_.shedding.limits.size() && s_.shedding.limits[e] < 1;
        std::string text = load_text(s_, c_, e);
        if (const auto& mark = c_.service.load->shed_above) text += ", sheds above " + percent(*mark);
        line("load", dc(e), limited ? "limited" : "kept", std::move(text));
    }

    std::string refused_claim(EndpointIndex e) const {
        const auto epoch = [](const std::optional<std::uint64_t>& n) {
            return n ? "epoch " + std::to_string(*n) : std::string("no epoch");
        };
        const SiteClaim claim = claims_of(c_)[e];
        return "claims to be primary with " + epoch(claim.epoch) +
               (claim.system != s_.followed->system ? " of another system" : "") + ", but " +
               epoch(s_.followed->epoch) + " was followed: not believed";
    }

    void followed() {
        if (!s_.followed) return line("policy", "", "undecided", "no primary has been followed yet");
        const char* why = !s_.primaries.empty() ? "held: two primaries"
                          : s_.no_primary       ? "held: no primary"
                                                : "it holds the primary";
        line("policy", dc(s_.followed->endpoint), "kept", why);
    }

    void place(ClientClassIndex k, const std::optional<Prefix>& by) {
        const ClientClass& clients = c_.model.clients.classes[k];
        line("client", "", "kept",
             by ? "in network " + by->to_string() + known_of(clients) : "in no known network");
        if (s_.all_down || s_.all_excluded || s_.frozen || !s_.served) return;
        auto* geo = std::get_if<Geo>(&c_.service.policy);
        if (geo && !geo->branches.empty()) return branches(*geo, "", k);
        const auto list = candidates(s_, c_);
        Previous previous = s_.previous;
        const Pool got = pick(c_.service.policy, {c_.model, c_.service, list}, k, previous);
        compare(c_.service.policy, list, got, k);
    }

    /// Each site that one policy could have answered, and what speaks for or against it.
    void compare(const Policy& policy, std::span<const Candidate> list, const Pool& got, ClientClassIndex k) {
        for (const Candidate& candidate : list) {
            const EndpointIndex e = candidate.endpoint;
            const bool in = std::ranges::any_of(got.members, [&](auto& m) { return m.choice == e; });
            std::string why = against(policy, candidate, in, k);
            if (!why.empty()) line("policy", dc(e), in ? "kept" : "dropped", std::move(why));
        }
        if (auto* latency = std::get_if<Latency>(&policy)) margin(*latency, list, k);
    }

    std::string against(const Policy& policy, const Candidate& k, bool in, ClientClassIndex clients) const {
        if (!k.usable)
            return (s_.endpoints[k.endpoint].excluded ? "excluded: " : "not fit: ") +
                   unfit_reason(s_, c_, k.endpoint);
        const std::string behind = k.fit ? "" : "not fit, and ranks behind those that are; ";
        auto* geo = std::get_if<Geo>(&policy);
        if (std::holds_alternative<Latency>(policy) || (geo && geo->branches.empty()))
            return behind + distance_text(c_.model, c_.model.clients.classes[clients],
                                          c_.service.endpoints[k.endpoint].datacenter);
        if (in) return {};
        if (auto* p = std::get_if<ActivePassive>(&policy)) {
            const bool named = std::ranges::find(p->order, k.endpoint) != p->order.end();
            return behind + (named ? "comes later in the order" : "its order does not name it");
        }
        return behind + "it has no weight here";
    }

    /// A nearer site that is not nearer by enough to be worth a move.
    void margin(const Latency& policy, std::span<const Candidate> list, ClientClassIndex k) {
        const Ground ground{c_.model, c_.service, list};
        const ClientClass& clients = c_.model.clients.classes[k];
        const auto before = k < s_.previous.size() ? s_.previous[k] : std::nullopt;
        const auto best = nearest(policy, ground, clients, std::nullopt);
        const auto stays = nearest(policy, ground, clients, before);
        if (!best || best == stays) return;
        line("policy", dc(*stays), "kept",
             dc(*best) + " is nearer, but by less than the margin (" + brief(policy.margin_absolute) +
                 " or " + percent(policy.margin_relative) + ", the larger): clients stay");
    }

    /// The branches down to the one that answers.
    void branches(const Geo& policy, const std::string& above, ClientClassIndex k) {
        const auto list = candidates(s_, c_);
        for (std::size_t i = 0; i < policy.branches.size(); ++i) {
            const Branch& b = policy.branches[i];
            const std::string name = above + "branch " + std::to_string(i + 1);
            const std::string what = name + " (" + to_string(b.policy) + ")";
            Previous previous = s_.previous;
            if (!matches(b.whom, c_.model.clients.classes[k])) {
                line("policy", "", "dropped", what + " is for other clients");
                continue;
            }
            Pool got = pick(b.policy, {c_.model, c_.service, list}, k, previous);
            if (std::ranges::any_of(got.members, [&](auto& m) { return list[m.choice].fit; })) {
                line("policy", "", "kept", what + " matches and has a fit endpoint");
                auto* inner = std::get_if<Geo>(&b.policy);
                if (inner && !inner->branches.empty()) branches(*inner, name + ", ", k);
                else compare(b.policy, list, got, k);
                return;
            }
            line("policy", "", "dropped", what + " matches, but none of its endpoints is fit");
        }
        if (!policy.branches.empty())
            line("policy", "", "kept", above + "no branch is left: the first fit endpoint answers");
    }

    static std::string known_of(const ClientClass& k) {
        std::string text;
        auto add = [&](const char* what, const std::string& word) {
            if (!word.empty()) text += std::string(", ") + what + " " + word;
        };
        add("region", k.region);
        add("country", k.country);
        add("continent", k.continent);
        if (k.asn) add("AS", std::to_string(k.asn));
        return text;
    }

    void pool(const Pool& pool, const std::optional<IpAddress>& client) {
        double total = 0;
        for (const Pool::Member& m : pool.members) total += m.weight;
        const bool sticks = pool.how == Pool::How::stick && client;
        std::size_t stuck = 0;
        const std::uint64_t network = sticks ? sticky_network(*client) : 0;
        auto rank = [&](std::size_t i) {
            return rendezvous_rank(network, pool.members[i].key, pool.members[i].weight);
        };
        for (std::size_t i = 1; sticks && i < pool.members.size(); ++i)
            if (rank(i) < rank(stuck)) stuck = i;
        for (std::size_t i = 0; i < pool.members.size(); ++i) {
            const Choice& k = s_.plan.choices[pool.members[i].choice];
            const double p = pool.members[i].weight / total;
            if (pool.how == Pool::How::all) answer(k, 1, "every fit endpoint is in the answer");
            else if (!sticks) answer(k, p, "with probability " + std::to_string(p).substr(0, 5));
            else if (i == stuck) answer(k, 1, "the client's network sticks to it");
        }
    }

    void answer(const Choice& k, double probability, std::string why) {
        line("answer", site_of(k, c_), "chosen", std::move(why));
        out_.answer.push_back({site_of(k, c_), k.addresses, probability, k.cname});
    }

    void draw() {
        double total = 0;
        for (const Choice& k : s_.plan.choices) total += k.weight;
        for (const Choice& k : s_.plan.choices) {
            double p = total > 0 ? k.weight / total : 0;
            answer(k, p, "with probability " + std::to_string(p).substr(0, 5));
        }
        if (s_.plan.choices.empty())
            line("answer", "", "none", s_.plan.kind == AnswerPlan::Kind::nodata ? "NODATA" : "SERVFAIL");
    }

    std::string dc(EndpointIndex e) const { return c_.model.datacenter_of(c_.service, e).name; }
    void line(std::string stage, std::string subject, std::string verdict, std::string reason) {
        out_.lines.push_back({std::move(stage), std::move(subject), std::move(verdict), std::move(reason)});
    }

    const ServiceState& s_;
    const ServiceContext& c_;
    Explanation& out_;
};

} // namespace

Explanation Engine::explain(ServiceIndex index, std::optional<IpAddress> client, Now now) const {
    ServiceContext c = state_->context(index, now);
    const ServiceState& s = state_->services[index];
    Explanation out{
        .name = c.service.title(), .client = client ? client->to_string() : "", .ttl = s.plan.ttl};
    out.lines.push_back({"name", "", "kept",
                         c.service.family
                             ? "a balanced service, its families decided apart: this is " + c.service.title()
                             : "a balanced service"});
    Explainer explainer(s, c, out);
    explainer.tiers();
    explainer.policy();
    explainer.client(client);
    return out;
}

} // namespace fairway::policies
