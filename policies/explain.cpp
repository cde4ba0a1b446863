// Why a client gets the answer it gets: the same stages as a turn, each with what it kept and dropped.
#include "policies/all_down.hpp"
#include "policies/engine_state.hpp"

#include <algorithm>

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
            if (state.braked) line("brake", dc(e), "kept", "unfit, but too many went at once");
        }
    }

    void policy() {
        if (!s_.served)
            return line("policy", "", "undecided",
                        "no answer yet: SERVFAIL for at most 10 s after the start");
        if (s_.frozen) line("policy", "", "kept", "frozen: the answer stays as it was");
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
    }

    void client(const std::optional<IpAddress>& address) {
        std::optional<Prefix> by;
        ClientClassIndex k = class_of(c_.model.clients, address, by);
        if (s_.plan.kind != AnswerPlan::Kind::by_client) {
            line("client", "", "kept", "the answer does not depend on where the client is");
            return draw();
        }
        line("client", "", "kept", by ? "in network " + by->to_string() : "in no known network");
        const Choice& choice = s_.plan.choices[s_.plan.by_client.at(k)];
        line("answer", site_of(choice, c_), "chosen", "nearest of those that are fit");
        out_.answer.push_back({site_of(choice, c_), choice.addresses, 1, choice.cname});
    }

  private:
    void tier(const char* stage, EndpointIndex e, Readiness r) {
        bool ready = r == Readiness::ready;
        line(stage, dc(e), ready ? "kept" : (r == Readiness::unready ? "dropped" : "undecided"),
             ready ? "its checks pass" : unfit_reason(s_, c_, e));
    }

    void followed() {
        if (!s_.followed) return line("policy", "", "undecided", "no primary has been followed yet");
        const char* why = !s_.primaries.empty() ? "held: two primaries"
                          : s_.no_primary       ? "held: no primary"
                                                : "it holds the primary";
        line("policy", dc(s_.followed->endpoint), "kept", why);
    }

    void draw() {
        double total = 0;
        for (const Choice& k : s_.plan.choices) total += k.weight;
        for (const Choice& k : s_.plan.choices) {
            double p = total > 0 ? k.weight / total : 0;
            line("answer", site_of(k, c_), "chosen", "with probability " + std::to_string(p).substr(0, 5));
            out_.answer.push_back({site_of(k, c_), k.addresses, p, k.cname});
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
        .name = c.service.name.to_string(), .client = client ? client->to_string() : "", .ttl = s.plan.ttl};
    out.lines.push_back({"name", "", "kept", "a balanced service"});
    Explainer explainer(s, c, out);
    explainer.tiers();
    explainer.policy();
    explainer.client(client);
    return out;
}

} // namespace fairway::policies
