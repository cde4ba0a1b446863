#include "tests/sim/swarm/settings.hpp"

namespace fairway::sim {

namespace {

const std::vector<std::string> site_names{"east", "west", "eu", "asia"};

std::string one_of(Random& random, std::vector<std::string> texts) { return random.pick(texts); }

std::string runbook(Random& random) {
    auto fence =
        one_of(random, {"fence: {exec: [/srv/fence], timeout: 10s}, ", "fence: {exec: [/srv/fence]}, ",
                        "fence: {exec: [/srv/fence], required: false}, "});
    auto prepare = random.chance(0.3) ? "prepare: {exec: [/srv/prepare]}, " : "";
    return "    hooks: {" + std::string(prepare) + fence +
           "promote: {exec: [/srv/promote], timeout: 30s}, failback: {exec: [/srv/switchover]}}\n";
}

std::string following(Random& random, Drawn& service) {
    service.follows = true;
    service.by_approval = random.chance(0.4);
    service.on_no_primary = one_of(random, {"", "", "standby", "on_all_down"});
    std::string keys =
        "    policy: {type: active_passive, follow: primary}\n    application: web\n    stateful: db\n";
    keys += "    failover: " + std::string(service.by_approval ? "approval" : "automatic") + "\n" +
            runbook(random);
    if (!service.on_no_primary.empty()) keys += "    on_no_primary: " + service.on_no_primary + "\n";
    return keys;
}

std::string ordered(Random& random, Drawn& service, const std::vector<std::string>& sites) {
    std::string order;
    for (const auto& s : sites) order += (order.empty() ? "" : ", ") + s;
    std::string keys = "    policy: {type: active_passive, order: [" + order + "]}\n    application: web\n";
    service.ordered = true;
    service.by_approval = random.chance(0.15);
    if (service.by_approval) keys += "    failover: approval\n";
    auto failback = one_of(random, {"auto", "delayed", "manual"});
    service.manual_failback = failback == "manual";
    return keys + "    failback: " + failback + "\n";
}

/// A policy that stands in a branch; `sites` are all there are.
std::string leaf(Random& random, const std::vector<std::string>& sites) {
    const auto last = sites.back(), first = sites.front();
    return one_of(random, {"{type: active_passive, order: [" + last + ", " + first + "]}",
                           "{type: weighted, weights: {" + first + ": 3, " + last + ": 1}}", "round_robin",
                           "latency", "geo", "sticky", "all"});
}

std::string branches(Random& random, const std::vector<std::string>& sites) {
    auto inner = random.chance(0.5)
                     ? leaf(random, sites)
                     : "{type: geo, branches: [{when: {country: DE}, policy: " + leaf(random, sites) + "}]}";
    return "{type: geo, branches: [{when: {continent: EU}, policy: " + inner +
           "}, {when: {networks: [198.51.100.0/24]}, policy: " + leaf(random, sites) +
           "}, {policy: " + leaf(random, sites) + "}, {policy: round_robin}]}";
}

std::string spread(Random& random, const std::vector<std::string>& sites) {
    auto policy = one_of(random, {"weighted", "latency", "geo", "sticky", "all", ""});
    if (policy.empty()) policy = branches(random, sites);
    std::string keys = "    policy: " + policy + "\n    application: web\n";
    if (random.chance(0.3)) keys += "    stateful: plain\n";
    return keys;
}

/// Two or more services that move together: those by priority, with one that follows its primary, or those
/// that spread.
void draw_group(Random random, Settings& drawn) {
    if (!random.chance(0.35)) return;
    std::vector<Drawn*> members;
    const bool spreads = random.chance(0.3), leads = random.chance(0.5);
    for (Drawn& s : drawn.services)
        if (!s.apart && (spreads ? !s.ordered && !s.follows : s.ordered)) members.push_back(&s);
    for (Drawn& s : drawn.services)
        if (!spreads && leads && s.follows) {
            members.insert(members.begin(), &s);
            break;
        }
    if (members.size() < 2) return;
    std::string list;
    bool approval = false, manual = false;
    for (Drawn* s : members) {
        list += (list.empty() ? "" : ", ") + s->name + ".gtm.example.com";
        s->grouped = true;
        approval |= s->by_approval;
        manual |= s->manual_failback;
        if (!spreads) drawn.together.push_back(s->name);
    }
    for (Drawn* s : members) { // as careful as the most careful
        s->by_approval = approval;
        s->manual_failback = manual;
    }
    drawn.yaml += "groups: {one: {services: [" + list + "]}}\n";
}

void draw_rules(Random random, Settings& drawn) {
    if (random.chance(0.8)) return;
    drawn.yaml += "rules: {min_datacenters: " + std::to_string(1 + random.below(3));
    if (random.chance(0.5)) drawn.yaml += ", switch_at_most_every: 8m";
    if (random.chance(0.5)) // every story begins on a Friday at seven
        drawn.yaml += ", hold_windows: [{when: \"Fri 07:10-Fri 07:40\"}]";
    drawn.yaml += "}\n";
}

std::string addresses(std::size_t site, std::uint64_t service, bool second, bool both_families) {
    const auto d = std::to_string(site + 1), i = std::to_string(service);
    std::string text = "10." + d + "." + i + ".1";
    if (second) text += ", 10." + d + "." + i + ".2";
    if (both_families) text += ", \"fd00:" + d + ":" + i + "::1\"";
    return "[" + text + "]";
}

void draw_service(Random random, std::uint64_t i, Settings& drawn, const Without& without) {
    Drawn service{.name = "s" + std::to_string(i)};
    const auto kind = random.below(3);
    auto keys = kind == 0   ? following(random, service)
                : kind == 1 ? ordered(random, service, drawn.sites)
                            : spread(random, drawn.sites);
    service.on_all_down = one_of(random, {"", "", "as_if_all_up", "last_good", "all", "nodata", "servfail"});
    if (!service.on_all_down.empty()) keys += "    on_all_down: " + service.on_all_down + "\n";
    if (random.chance(0.2)) keys += "    ttl: {min: 5s, max: 30s}\n";
    const bool stateful = keys.find("stateful") != std::string::npos;
    service.apart = !stateful && random.chance(0.3);
    if (service.apart) keys += "    families: independent\n";
    std::string endpoints;
    for (std::size_t d = 0; d < drawn.sites.size(); ++d) {
        const bool second = random.chance(0.2) && !stateful;
        endpoints +=
            "      " + drawn.sites[d] + ": {addresses: " + addresses(d, i, second, service.apart) + "}\n";
    }
    if (without.services.contains(service.name)) return;
    drawn.yaml += "  " + service.name + ".gtm.example.com:\n" + keys + "    endpoints:\n" + endpoints;
    if (!service.apart) return drawn.services.push_back(service);
    const std::string name = service.name;
    for (const char* half : {" A", " AAAA"}) {
        service.name = name + half;
        drawn.services.push_back(service);
    }
}

} // namespace

Settings draw_settings(Random& random, const Without& without) {
    Settings drawn;
    auto count = 2 + random.below(3);
    drawn.sites.assign(site_names.begin(), site_names.begin() + static_cast<std::ptrdiff_t>(count));
    drawn.inside = random.chance(0.3);
    drawn.references = random.chance(0.4);
    auto& yaml = drawn.yaml;
    if (drawn.inside) yaml += "node: {datacenter: east}\n";
    if (drawn.references)
        yaml += "self_doubt: {references: [\"tcp://198.51.100.1:53\", \"tcp://198.51.100.2:53\"]}\n";
    yaml += "checks:\n  web: {type: http, port: 8080, path: /healthz}\n"
            "  db: {type: postgres, port: 5432, user: fairway, dbname: postgres, max_lag: 10s}\n"
            "  plain: {type: postgres, port: 5432, user: fairway, dbname: postgres}\ndatacenters:\n";
    for (const auto& s : drawn.sites) yaml += "  " + s + ": {region: " + s + "}\n";
    yaml += "clients: {networks: {203.0.113.0/24: {continent: EU, country: DE}, 192.0.2.0/24: {continent: "
            "EU}, 198.18.0.0/15: {region: east}}}\nservices:\n";
    const auto services = 1 + random.below(4);
    for (std::uint64_t i = 0; i < services; ++i) draw_service(random.fork(), i, drawn, without);
    Random groups = random.fork(), rules = random.fork();
    if (!without.groups) draw_group(groups, drawn);
    if (!without.rules) draw_rules(rules, drawn);
    return drawn;
}

} // namespace fairway::sim
