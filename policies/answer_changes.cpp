#include "policies/answer_changes.hpp"

#include "config/enclosing.hpp"
#include "policies/replica.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace fairway::policies {

namespace {

/// Clients that are of one class before and of one class after.
struct Kind {
    ClientClassIndex before = 0, after = 0;
    std::optional<Prefix> network; ///< one of theirs; unset: those of whom nothing is known
    std::size_t networks = 0;
};

ClientClassIndex class_in(const Clients::Network* network) {
    return network ? network->client_class : ClientClassIndex{0};
}

std::vector<Kind> kinds_of(const Clients& before, const Clients& after) {
    std::vector<Prefix> all;
    for (const Clients* c : {&before, &after})
        for (const Clients::Network& n : c->networks) all.push_back(n.prefix);
    std::ranges::sort(all);
    all.erase(std::unique(all.begin(), all.end()), all.end());
    std::map<std::pair<ClientClassIndex, ClientClassIndex>, Kind> kinds;
    kinds[{0, 0}] = {};
    Enclosing old_networks(before.networks), new_networks(after.networks);
    for (const Prefix& p : all) {
        const std::pair key{class_in(old_networks.of(p)), class_in(new_networks.of(p))};
        Kind& k = kinds.try_emplace(key, Kind{key.first, key.second, p, 0}).first->second;
        ++k.networks;
    }
    std::vector<Kind> list;
    for (const auto& [key, kind] : kinds) list.push_back(kind);
    return list;
}

/// One side of the comparison.
struct Side {
    const Engine& engine;
    Report report;

    std::string answer(ServiceIndex s, ClientClassIndex client) const;
};

/// The choices of a class and their weights, and how one is come by.
struct Drawn {
    std::string how;
    std::map<std::uint16_t, double> weights;
};

Drawn drawn_from(const AnswerPlan& plan, ClientClassIndex client) {
    Drawn d;
    const auto of_client = [&] {
        return client < plan.by_client.size() ? plan.by_client[client] : std::uint16_t{0};
    };
    if (plan.kind == AnswerPlan::Kind::by_client) d.weights[of_client()] = 1;
    else if (plan.kind == AnswerPlan::Kind::draw)
        for (std::uint16_t i = 0; i < plan.choices.size(); ++i) d.weights[i] = plan.choices[i].weight;
    else if (!plan.pools.empty()) {
        const Pool& pool = plan.pools[std::min<std::size_t>(of_client(), plan.pools.size() - 1)];
        d.how = pool.how == Pool::How::all ? "all of " : pool.how == Pool::How::stick ? "sticky " : "";
        for (const Pool::Member& m : pool.members) d.weights[m.choice] += m.weight;
    }
    std::erase_if(d.weights, [](auto& w) { return w.second == 0; });
    return d;
}

std::string Side::answer(ServiceIndex s, ClientClassIndex client) const {
    const AnswerPlan& plan = engine.plan(s);
    if (plan.kind == AnswerPlan::Kind::servfail) return "SERVFAIL";
    if (plan.kind == AnswerPlan::Kind::nodata) return "NODATA";
    const Model& model = engine.model();
    const Drawn drawn = drawn_from(plan, client);
    double all = 0;
    for (const auto& [choice, weight] : drawn.weights) all += weight;
    std::map<std::string, std::string> parts; // by datacenter: the order of a plan may differ between models
    for (const auto& [i, weight] : drawn.weights) {
        const Choice& k = plan.choices[i];
        std::string where = k.endpoint == no_endpoint
                                ? "no datacenter"
                                : model.datacenter_of(model.services[s], k.endpoint).name;
        if (drawn.weights.size() > 1 && drawn.how != "all of ")
            where += " " + std::to_string(std::lround(100 * weight / all)) + " %";
        std::string addresses = k.cname ? k.cname->to_string() + "." : "";
        for (const IpAddress& a : k.addresses) addresses += (addresses.empty() ? "" : ", ") + a.to_string();
        parts[where + " (" + addresses + ")"];
    }
    std::string text = drawn.how;
    for (const auto& [part, unused] : parts) text += (text == drawn.how ? "" : ", ") + part;
    return text;
}

std::string named(const Kind& k) {
    if (!k.network) return "";
    return k.network->to_string() +
           (k.networks > 1 ? " and " + std::to_string(k.networks - 1) + " more" : "");
}

/// The service on one side, if it is there.
struct Found {
    const Side& side;
    std::optional<ServiceIndex> index;

    const ServiceReport* report() const { return index ? &side.report.services[*index] : nullptr; }
    std::string answer(ClientClassIndex client) const { return index ? side.answer(*index, client) : ""; }
    std::string preferred() const { return index ? report()->preferred : ""; }
    std::uint32_t ttl() const { return index ? report()->ttl : 0; }
};

/// Kinds of clients whose answers change alike share a line.
std::vector<AnswerChanges::Line> lines_of(const Found& before, const Found& after,
                                          std::span<const Kind> kinds) {
    const bool all_differ = before.ttl() != after.ttl() || before.preferred() != after.preferred();
    std::map<std::pair<std::string, std::string>, Kind> changes;
    std::set<std::pair<std::string, std::string>> all;
    for (const Kind& k : kinds) {
        const std::pair change{before.answer(k.before), after.answer(k.after)};
        all.insert(change);
        if (change.first == change.second && !all_differ) continue;
        const auto [known, fresh] = changes.try_emplace(change, k);
        if (!fresh) known->second.networks += k.networks;
    }
    std::vector<AnswerChanges::Line> lines;
    for (const auto& [change, kind] : changes)
        lines.push_back({.service = (after.index ? after : before).report()->name,
                         .clients = all.size() > 1 ? named(kind) : "",
                         .before = change.first,
                         .after = change.second,
                         .preferred_before = before.preferred(),
                         .preferred_after = after.preferred(),
                         .ttl_before = before.ttl(),
                         .ttl_after = after.ttl(),
                         .why = after.index ? after.report()->reason : "no longer configured"});
    return lines;
}

} // namespace

AnswerChanges answer_changes(const Engine& running, const ModelPtr& next, Now now) {
    Replica as_it_is(running, now), reloaded(running, now);
    AnswerChanges out;
    out.assumed = reloaded.reload(next);
    const Side before{as_it_is.engine(), as_it_is.runs()}, after{reloaded.engine(), reloaded.runs()};
    const Model &was = before.engine.model(), &is = after.engine.model();
    const auto kinds = kinds_of(was.clients, is.clients);
    std::set<std::string> names;
    for (const Side* side : {&before, &after})
        for (const ServiceReport& r : side->report.services) names.insert(r.name);
    for (const std::string& name : names) {
        auto lines = lines_of({before, was.find_titled(name)}, {after, is.find_titled(name)}, kinds);
        out.same += lines.empty();
        std::ranges::move(lines, std::back_inserter(out.lines));
    }
    return out;
}

} // namespace fairway::policies
