#include "config/load/check_kinds.hpp"

#include <algorithm>
#include <limits>

namespace fairway::load {
namespace {

/// Which keys belong to which kinds only; all others belong to every kind.
struct Belongs {
    std::string_view key, kinds;
};
constexpr Belongs belongs[] = {
    {"method", "http | https"},
    {"path", "http | https"},
    {"headers", "http | https"},
    {"status", "http | https"},
    {"http_version", "http | https"},
    {"reuse", "http | https"},
    {"redirects", "http | https"},
    {"body", "http | https"},
    {"body_regex", "http | https"},
    {"json", "http | https"},
    {"body_window", "http | https"},
    {"host", "http | https | grpc"},
    {"sni", "https | tls | grpc | redis | zookeeper | patroni | etcd | nats | rabbitmq | mongodb"},
    {"tls", "https | tls | grpc | prometheus | postgres | mysql | redis | zookeeper | patroni | etcd | nats "
            "| rabbitmq | mongodb"},
    {"send", "tcp | tls | agent"},
    {"expect", "tcp | tls"},
    {"service", "grpc"},
    {"query", "dns | prometheus"},
    {"record", "dns"},
    {"rcode", "dns"},
    {"data", "dns"},
    {"command", "exec"},
    {"url", "prometheus"},
    {"value", "prometheus"},
    {"user", "postgres | mysql | redis | rabbitmq"},
    {"dbname", "postgres | mysql"},
    {"password_file", "postgres | mysql | redis | rabbitmq"},
    {"tokens", "push"},
    {"ttl", "push"},
    {"mode", "redis"},
    {"group", "redis"},
    {"facts", "http | https | prometheus"},
    {"role",
     "postgres | exec | push | mysql | redis | zookeeper | http | https | prometheus | patroni | etcd | "
     "nats | mongodb"},
    {"max_lag",
     "postgres | exec | push | mysql | redis | http | https | prometheus | patroni | etcd | mongodb"},
    {"quorum",
     "postgres | exec | push | mysql | redis | zookeeper | http | https | prometheus | etcd | nats | "
     "rabbitmq | mongodb"},
    {"require",
     "postgres | exec | push | mysql | redis | zookeeper | http | https | prometheus | patroni | etcd | "
     "nats | rabbitmq | mongodb"},
    {"watch", "http | https | tcp | tls | grpc | agent | postgres | redis | zookeeper | patroni | etcd | "
              "nats | rabbitmq | mongodb"},
    {"source", "http | https | tcp | tls | grpc | agent | dns | icmp | mysql | redis | zookeeper | patroni | "
               "etcd | nats | rabbitmq | mongodb"},
    {"proxy", "http | https | tcp | tls | grpc | agent | redis | zookeeper | patroni | etcd | nats | "
              "rabbitmq | mongodb"},
    {"port", "http | https | tcp | tls | grpc | agent | dns | exec | prometheus | postgres | mysql | redis | "
             "zookeeper | patroni | etcd | nats | rabbitmq | mongodb"},
};

void refuse_foreign_keys(const Mapping& m, std::string_view kind) {
    for (const auto& [key, kinds] : belongs) {
        const auto words = words_of(kinds);
        if (m.has(key) && std::find(words.begin(), words.end(), kind) == words.end())
            m.problems().error(m.place_of(key), "`" + std::string(key) +
                                                    "` has no meaning for a check of type " +
                                                    std::string(kind));
    }
}

/// A look at a target of a family that is not given goes out as it is routed.
void read_source(const Mapping& m, std::vector<IpAddress>& source) {
    if (!m.read("source", source)) return;
    if (source.size() > 2 || (source.size() == 2 && source[0].family == source[1].family))
        m.problems().error(m.place_of("source"), "source: at most one address of each family");
}

/// Reports come when they come: their time to live stands for interval and timeout. Until it is over a claim
/// is believed (L14).
void read_reporting(const Mapping& m, Check& check, Binding& b) {
    const auto* push = std::get_if<PushCheck>(&check.kind);
    if (!push) return;
    for (const std::string_view key : {"interval", "timeout", "retest"})
        if (m.has(key))
            b.problems.error(m.place_of(key),
                             "`" + std::string(key) +
                                 "` has no meaning for a check of type push: reports come when they come");
    for (const auto& [datacenter, file] : push->tokens) b.datacenter(datacenter, m.place_of("tokens"));
    check.timing.interval = check.timing.timeout = push->ttl / 3;
}

void read_requirements(const Mapping& m, Requirements& r) {
    enum class Wanted { primary, standby, any };
    Wanted role = Wanted::any;
    m.choose("role", role,
             {{"primary", Wanted::primary}, {"standby", Wanted::standby}, {"any", Wanted::any}});
    if (role != Wanted::any) r.role = role == Wanted::primary ? Role::primary : Role::standby;
    m.read("max_lag", r.max_lag);
    m.read("quorum", r.quorum);
    using Of = Requirements::Of;
    m.choose("require", r.of, {{"any", Of::any}, {"majority", Of::majority}, {"all", Of::all}});
}

} // namespace

NamedCheck& add_check(const Mapping& m, const std::string& name, const Place& place, bool in_place,
                      Binding& b) {
    const std::size_t before = b.problems.errors();
    auto check = std::make_shared<Check>();
    check->name = name;
    check->kind = TcpCheck{}; // stands in for one that cannot be read
    check->timing = b.default_timing;
    const bool readable = read_kind(m, check->kind);
    if (readable) {
        refuse_foreign_keys(m, kind_name(check->kind));
        read_source(m, check->source);
        m.read("proxy", check->proxy);
        m.choose("addresses", check->all_addresses, {{"one", false}, {"all", true}});
        m.read("port", check->port);
        m.read("watch", check->watch);
        read_timing(m, check->timing);
        read_reporting(m, *check, b);
        read_requirements(m, check->requirements);
        bool untested = false;
        if (m.read("untested", untested) && untested)
            b.problems.warning(place, "the check `" + name + "` is untested: see it work, and see it fail");
    }
    NamedCheck named{static_cast<CheckIndex>(b.model.checks.size()), place,
                     readable && b.problems.errors() == before, in_place};
    auto [it, fresh] = b.checks.try_emplace(name, named);
    if (fresh) {
        b.model.checks.push_back(std::move(check));
    } else if (!in_place || !it->second.in_place ||
               (it->second.usable && *b.model.checks[it->second.index] != *check)) {
        b.problems.error(place, "a different check `" + name + "` exists already at " +
                                    it->second.place.to_string());
    }
    return it->second;
}

void read_checks(const Mapping& file, Binding& b) {
    const Node* n = file.get("checks");
    if (!n) return;
    if (!n->is_mapping()) return wrong(*n, *find_key("checks"), b.problems);
    for (const Node::Member& member : n->members) {
        plain_name(member.key, b.problems);
        const Mapping m(member.value, "checks.*", b.problems);
        if (m.has("name"))
            b.problems.error(m.place_of("name"), "`name` has no meaning here: the key is the check's name");
        add_check(m, member.key.text, member.key.place(), false, b);
    }
    if (b.model.checks.size() > std::numeric_limits<CheckIndex>::max())
        b.problems.error(n->place(), "more than 65535 checks");
}

} // namespace fairway::load
