#include "policies/binding.hpp"

#include "config/probe_spec.hpp"

#include <algorithm>
#include <unordered_map>

namespace fairway::policies {

namespace {

/// A reference is believed and doubted like any target, but by no service: the defaults' rhythm is right for
/// it.
CheckPtr reference_check(bool echo) {
    static const CheckPtr connecting =
        std::make_shared<const Check>(Check{.name = "reference", .kind = TcpCheck{}});
    static const CheckPtr pinging =
        std::make_shared<const Check>(Check{.name = "reference", .kind = IcmpCheck{}});
    return echo ? pinging : connecting;
}

class Binder {
  public:
    explicit Binder(const Model& model) : model_(model) {}

    Binding run() && {
        for (const Service& s : model_.services) bind(s);
        for (const SocketAddress& r : model_.self_doubt.references)
            result_.references.push_back(
                slot({.check = reference_check(r.port == 0), .target = r.ip, .port = r.port}));
        return std::move(result_);
    }

  private:
    void bind(const Service& s) {
        auto& endpoints = result_.services.emplace_back();
        for (const Endpoint& e : s.endpoints) {
            BoundEndpoint bound;
            const bool looked_at = is_checked(s, e);
            if (s.application && looked_at) bound.application = bind(s, e, *s.application, true);
            if (s.stateful && looked_at) bound.stateful = bind(s, e, *s.stateful, false);
            if (s.load) bound.load = load_of(s, e, s.load->from);
            endpoints.push_back(std::move(bound));
        }
    }

    std::vector<BoundCheck> bind(const Service& s, const Endpoint& e, const Expression& expression,
                                 bool application) {
        std::vector<BoundCheck> bound;
        for (CheckIndex c : checks_of(expression)) {
            BoundCheck b{.check = c, .per_address = application && !e.targets.contains(c)};
            for (ProbeSpec& p : probe_specs(model_, s, e, c)) b.members.push_back(slot(std::move(p)));
            bound.push_back(std::move(b));
        }
        return bound;
    }

    /// Its targets; else the site as a whole where somebody else is asked about it; else each address.
    std::vector<MemberSlot> load_of(const Service& s, const Endpoint& e, CheckIndex c) {
        const CheckKind& kind = model_.checks[c]->kind;
        const auto* asking = std::get_if<PrometheusCheck>(&kind);
        const bool by_address = asking && (asking->query.find("$address") != std::string::npos ||
                                           asking->query.find("$port") != std::string::npos);
        const bool of_site = std::holds_alternative<PushCheck>(kind) || (asking && !by_address);
        Endpoint aimed = e;
        if (of_site && !e.targets.contains(c))
            aimed.targets[c] = {{model_.datacenters[e.datacenter].name, std::nullopt}};
        std::vector<MemberSlot> members;
        for (ProbeSpec& p : probe_specs(model_, s, aimed, c)) members.push_back(slot(std::move(p)));
        return members;
    }

    MemberSlot slot(ProbeSpec spec) {
        auto [it, fresh] = slots_.try_emplace(spec.key(), static_cast<MemberSlot>(result_.probes.size()));
        if (fresh) result_.probes.push_back(std::move(spec));
        return it->second;
    }

    const Model& model_;
    Binding result_;
    std::unordered_map<std::string, MemberSlot> slots_;
};

void collect(const Expression& e, std::vector<CheckIndex>& into) {
    if (e.op == Expression::Op::check) {
        if (std::ranges::find(into, e.check) == into.end()) into.push_back(e.check);
        return;
    }
    for (const Expression& o : e.operands) collect(o, into);
}

} // namespace

Binding bind(const Model& model) { return Binder(model).run(); }

std::vector<CheckIndex> checks_of(const Expression& e) {
    std::vector<CheckIndex> checks;
    collect(e, checks);
    return checks;
}

} // namespace fairway::policies
