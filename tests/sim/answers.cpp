#include "tests/sim/answers.hpp"

#include "config/rendezvous.hpp"

#include <algorithm>
#include <set>

namespace fairway::sim {

namespace {
constexpr std::string_view no_daemon = "no daemon";

bool names(std::string_view text, std::string_view datacenter) {
    for (std::size_t at = 0; at <= text.size();) {
        auto end = std::min(text.find('+', at), text.size());
        if (text.substr(at, end - at) == datacenter) return true;
        at = end + 1;
    }
    return false;
}
} // namespace

namespace {

/// Whose address it is; "fixed" for one that the operator gave for bad times.
std::string site_of(const IpAddress& address, const Service& service, const Model& model) {
    for (EndpointIndex e = 0; e < service.endpoints.size(); ++e)
        if (std::ranges::count(service.endpoints[e].addresses, address))
            return model.datacenter_of(service, e).name;
    return std::ranges::count(service.on_all_down.addresses, address) ? "fixed" : "nobody";
}

} // namespace

std::string text(const AnswerPlan& plan, const Service& service, const Model& model) {
    if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
    if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
    std::set<std::string> sites;
    auto add = [&](const Choice& c) {
        for (const auto& address : c.addresses) sites.insert(site_of(address, service, model));
    };
    if (plan.kind == AnswerPlan::Kind::draw)
        for (const auto& c : plan.choices) {
            if (c.weight > 0) add(c);
        }
    else if (plan.kind == AnswerPlan::Kind::pooled)
        for (const auto& p : plan.pools)
            for (const auto& m : p.members) add(plan.choices.at(m.choice));
    else
        for (auto i : plan.by_client) add(plan.choices.at(i));
    std::string joined;
    for (const auto& s : sites) joined += (joined.empty() ? "" : "+") + s;
    return joined;
}

namespace {

std::string malformed_pools(const AnswerPlan& plan, const Model& model) {
    if (plan.pools.empty()) return "a plan of no pools";
    for (const auto& p : plan.pools) {
        if (p.members.empty()) return "an empty pool";
        for (const auto& m : p.members)
            if (m.choice >= plan.choices.size() || m.weight == 0) return "a pool of nothing";
    }
    if (!plan.by_client.empty() && plan.by_client.size() != model.clients.classes.size())
        return "not one pool per client class";
    auto beyond = [&](auto i) { return i >= plan.pools.size(); };
    return std::ranges::any_of(plan.by_client, beyond) ? "a client class without a pool" : "";
}

} // namespace

std::vector<std::string> texts_by_class(const AnswerPlan& plan, const Service& service, const Model& model) {
    const bool apart = !plan.by_client.empty();
    if (!apart) return {text(plan, service, model)};
    std::vector<std::string> texts;
    for (auto which : std::set(plan.by_client.begin(), plan.by_client.end())) {
        AnswerPlan his{.kind = AnswerPlan::Kind::draw};
        if (plan.kind == AnswerPlan::Kind::by_client) his.choices = {plan.choices.at(which)};
        else
            for (auto& m : plan.pools.at(which).members) his.choices.push_back(plan.choices.at(m.choice));
        texts.push_back(text(his, service, model));
    }
    return texts;
}

std::string text_for(const AnswerPlan& plan, const Service& service, const Model& model,
                     const IpAddress& client) {
    if (plan.kind != AnswerPlan::Kind::by_client && plan.kind != AnswerPlan::Kind::pooled)
        return text(plan, service, model);
    std::size_t which = plan.by_client.empty() ? 0 : plan.by_client.at(client_class(model.clients, client));
    AnswerPlan his{.kind = AnswerPlan::Kind::draw};
    if (plan.kind == AnswerPlan::Kind::by_client) his.choices = {plan.choices.at(which)};
    else {
        const Pool& pool = plan.pools.at(which);
        auto rank = [&](auto& m) { return rendezvous_rank(sticky_network(client), m.key, m.weight); };
        auto stuck = std::ranges::min_element(pool.members, {}, rank);
        for (auto& m : pool.members)
            if (pool.how != Pool::How::stick || &m == &*stuck)
                his.choices.push_back(plan.choices.at(m.choice));
    }
    return text(his, service, model);
}

std::string malformed(const AnswerPlan& plan, const Service& service, const Model& model) {
    using enum AnswerPlan::Kind;
    if (plan.kind == servfail || plan.kind == nodata) return {};
    if (plan.choices.empty()) return "a plan of no choices";
    for (const auto& c : plan.choices) {
        if (c.addresses.empty()) return "a choice of no addresses";
        if (c.endpoint >= service.endpoints.size() && c.endpoint != no_endpoint)
            return "a choice of an endpoint that is not there";
    }
    bool drawn = std::ranges::any_of(plan.choices, [](const Choice& c) { return c.weight > 0; });
    if (plan.kind == draw && !drawn) return "a plan whose weights are all 0";
    if (plan.kind == draw) return {};
    if (plan.kind == pooled) return malformed_pools(plan, model);
    if (plan.by_client.size() != model.clients.classes.size()) return "not one choice per client class";
    auto beyond = [&](auto i) { return i >= plan.choices.size(); };
    return std::ranges::any_of(plan.by_client, beyond) ? "a client class without a choice" : "";
}

ClientClassIndex client_class(const Clients& clients, const IpAddress& client) {
    const Clients::Network* best = nullptr;
    for (const auto& n : clients.networks)
        if (n.prefix.contains(client) && (!best || n.prefix.length > best->prefix.length)) best = &n;
    return best ? best->client_class : ClientClassIndex{0};
}

void Answers::add(Moment at, const AnswerPlan& plan, const Service& service, const Model& model,
                  std::uint64_t generation) {
    all_.push_back({at, text(plan, service, model), plan, generation});
}

void Answers::nobody(Moment at) { all_.push_back({at, std::string(no_daemon), {}, 0}); }

std::size_t Answers::moves(Moment since, Moment until) const {
    std::size_t moves = 0;
    const Answer* before = nullptr;
    for (const auto& a : all_) {
        if (a.text == no_daemon) continue;
        if (before && a.text != before->text && a.at > since && a.at <= until) ++moves;
        before = &a;
    }
    return moves;
}

// An answer holds from its own moment to the next one's.
bool Answers::named(std::string_view datacenter, Moment from, Moment until) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
        bool over = i + 1 < all_.size() && all_[i + 1].at <= from;
        if (!over && all_[i].at <= until && names(all_[i].text, datacenter)) return true;
    }
    return false;
}

bool Answers::said(std::string_view text, Moment from, Moment until) const {
    for (std::size_t i = 0; i < all_.size(); ++i) {
        bool over = i + 1 < all_.size() && all_[i + 1].at <= from;
        if (!over && all_[i].at <= until && all_[i].text == text) return true;
    }
    return false;
}

std::optional<Moment> Answers::first(std::string_view text, Moment from) const {
    for (const auto& a : all_)
        if (a.at >= from && a.text == text) return a.at;
    return std::nullopt;
}

} // namespace fairway::sim
