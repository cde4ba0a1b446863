#include "config/check.hpp"

#include <cstdio>

namespace fairway {
namespace {

template<class... F> struct Overloaded : F... { using F::operator()...; };
template<class... F> Overloaded(F...) -> Overloaded<F...>; // clang 16 does not deduce aggregates by itself

/// Builds "name=value" lists in which no value can be mistaken for another field.
class KeyText {
  public:
    explicit KeyText(std::string_view kind) : text_(kind) {}

    void add(std::string_view field, std::string_view value) {
        text_.append(" ").append(field).append("=\"");
        for (char c : value) {
            if (c == '"' || c == '\\') text_ += '\\';
            text_ += c;
        }
        text_ += '"';
    }
    void add(std::string_view field, std::uint64_t value) {
        text_.append(" ").append(field).append("=").append(std::to_string(value));
    }
    void add(std::string_view field, Duration value) {
        text_.append(" ").append(field).append("=").append(to_string(value));
    }

    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

/// FNV-1a: a header's value may be a token, so the key carries only its fingerprint.
std::uint64_t fingerprint(std::string_view text) {
    std::uint64_t h = 14695981039346656037ULL;
    for (unsigned char c : text) h = (h ^ c) * 1099511628211ULL;
    return h;
}

void add_tls(KeyText& key, const TlsSettings& tls) {
    key.add("verify", static_cast<std::uint64_t>(tls.verify));
    key.add("ca", tls.ca_file);
    key.add("cert", tls.cert_file);
    key.add("key", tls.key_file);
    key.add("expiry_warning", tls.expiry_warning);
}

void add_facts(KeyText& key, const std::vector<FactRule>& rules) {
    for (const FactRule& r : rules) {
        key.add("fact", static_cast<std::uint64_t>(r.fact));
        key.add("at", r.at);
        for (const std::string& word : r.primary) key.add("primary", word);
        for (const std::string& word : r.standby) key.add("standby", word);
        if (r.is) key.add("is", r.is->to_string());
        key.add("unit", std::to_string(r.unit));
    }
}

void add_kind(KeyText& key, const HttpCheck& c) {
    key.add("http2", std::uint64_t{c.http2});
    key.add("reuse", std::uint64_t{c.reuse});
    key.add("method", c.method);
    key.add("path", c.path);
    for (const auto& [name, value] : c.headers) {
        key.add("header", name);
        key.add("value", fingerprint(value));
    }
    for (auto [first, last] : c.status) {
        key.add("from", static_cast<std::uint64_t>(first));
        key.add("to", static_cast<std::uint64_t>(last));
    }
    key.add("redirects", std::uint64_t{c.redirects});
    key.add("body", c.body);
    key.add("body_regex", c.body_regex);
    for (const auto& [pointer, comparison] : c.json) {
        key.add("json", pointer);
        key.add("is", comparison.to_string());
    }
    key.add("window", c.body_window);
    add_facts(key, c.facts);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_exchange(KeyText& key, const Exchange& e) {
    key.add("send", fingerprint(e.send));
    key.add("expect", e.expect);
}

void add_kind(KeyText& key, const TcpCheck& c) { add_exchange(key, c.exchange); }

void add_kind(KeyText& key, const TlsCheck& c) {
    add_exchange(key, c.exchange);
    add_tls(key, c.tls_settings);
}

void add_kind(KeyText& key, const DnsCheck& c) {
    key.add("name", c.name);
    key.add("record", c.type);
    key.add("rcode", c.rcode);
    for (const std::string& d : c.data) key.add("data", d);
}

void add_kind(KeyText& key, const GrpcCheck& c) {
    key.add("service", c.service);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_kind(KeyText&, const IcmpCheck&) {}

void add_kind(KeyText& key, const AgentCheck& c) { key.add("send", fingerprint(c.send)); }

void add_kind(KeyText& key, const ExecCheck& c) {
    for (const std::string& word : c.command) key.add("word", fingerprint(word));
}

void add_kind(KeyText& key, const PrometheusCheck& c) {
    key.add("url", fingerprint(c.url));
    key.add("query", c.query);
    if (c.value) key.add("value", c.value->to_string());
    add_facts(key, c.facts);
    add_tls(key, c.tls_settings);
}

void add_kind(KeyText& key, const PostgresCheck& c) {
    key.add("user", c.user);
    key.add("dbname", c.dbname);
    key.add("password_file", c.password_file);
    key.add("tls", static_cast<std::uint64_t>(c.tls));
    key.add("ca", c.ca_file);
}

void add_api(KeyText& key, const ApiAccess& api) {
    key.add("api_tls", std::uint64_t{api.tls});
    key.add("api_sni", api.sni);
    key.add("user", api.user);
    key.add("password_file", api.password_file);
    if (api.tls) add_tls(key, api.tls_settings);
}

void add_kind(KeyText& key, const PatroniCheck& c) { add_api(key, c.api); }
void add_kind(KeyText& key, const EtcdCheck& c) { add_api(key, c.api); }
void add_kind(KeyText& key, const NatsCheck& c) { add_api(key, c.api); }
void add_kind(KeyText& key, const RabbitmqCheck& c) { add_api(key, c.api); }

void add_kind(KeyText& key, const MysqlCheck& c) {
    key.add("user", c.user);
    key.add("dbname", c.dbname);
    key.add("password_file", c.password_file);
    key.add("tls", static_cast<std::uint64_t>(c.tls));
    key.add("ca", c.ca_file);
    key.add("cert", c.cert_file);
    key.add("key", c.key_file);
}

void add_kind(KeyText& key, const RedisCheck& c) {
    key.add("mode", static_cast<std::uint64_t>(c.mode));
    key.add("group", c.group);
    key.add("user", c.user);
    key.add("password_file", c.password_file);
    key.add("tls", std::uint64_t{c.tls});
    key.add("tls_name", c.sni);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_kind(KeyText& key, const ZookeeperCheck& c) {
    key.add("tls", std::uint64_t{c.tls});
    key.add("tls_name", c.sni);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_kind(KeyText& key, const MongodbCheck& c) {
    key.add("tls", std::uint64_t{c.tls});
    key.add("tls_name", c.sni);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_kind(KeyText& key, const PushCheck& c) {
    for (const auto& [datacenter, file] : c.tokens) {
        key.add("of", datacenter);
        key.add("token", file);
    }
    key.add("ttl", c.ttl);
}

void add_timing(KeyText& key, const CheckTiming& t) {
    key.add("interval", t.interval);
    key.add("timeout", t.timeout);
    key.add("retest", t.retest);
    key.add("hold_down", t.hold_down);
    key.add("fall", t.fall);
    key.add("rise", t.rise);
}

void add_requirements(KeyText& key, const Requirements& r) {
    if (r.role) key.add("role", static_cast<std::uint64_t>(*r.role));
    if (r.max_lag) key.add("max_lag", *r.max_lag);
    key.add("quorum", std::uint64_t{r.quorum});
    key.add("require", static_cast<std::uint64_t>(r.of));
}

bool is_told_datacenter(const CheckKind& kind) {
    const auto* asking = std::get_if<PrometheusCheck>(&kind);
    return std::holds_alternative<ExecCheck>(kind) || std::holds_alternative<PushCheck>(kind) ||
           (asking && asking->query.find("$datacenter") != std::string::npos);
}

} // namespace

std::string_view kind_name(const CheckKind& kind) {
    using Word = std::string_view;
    return std::visit(
        Overloaded{
            [](const HttpCheck& c) -> Word { return c.tls ? "https" : "http"; },
            [](const TcpCheck&) -> Word { return "tcp"; },
            [](const PostgresCheck&) -> Word { return "postgres"; },
            [](const TlsCheck&) -> Word { return "tls"; }, [](const DnsCheck&) -> Word { return "dns"; },
            [](const GrpcCheck&) -> Word { return "grpc"; }, [](const IcmpCheck&) -> Word { return "icmp"; },
            [](const AgentCheck&) -> Word { return "agent"; },
            [](const ExecCheck&) -> Word { return "exec"; },
            [](const PrometheusCheck&) -> Word { return "prometheus"; },
            [](const MysqlCheck&) -> Word { return "mysql"; },
            [](const RedisCheck&) -> Word { return "redis"; },
            [](const ZookeeperCheck&) -> Word { return "zookeeper"; },
            [](const PatroniCheck&) -> Word { return "patroni"; },
            [](const EtcdCheck&) -> Word { return "etcd"; }, [](const NatsCheck&) -> Word { return "nats"; },
            [](const RabbitmqCheck&) -> Word { return "rabbitmq"; },
            [](const MongodbCheck&) -> Word { return "mongodb"; },
            [](const PushCheck&) -> Word { return "push"; }},
        kind);
}

std::optional<std::uint16_t> default_port(const CheckKind& kind) {
    using Port = std::optional<std::uint16_t>;
    return std::visit(
        Overloaded{[](const HttpCheck& c) -> Port { return std::uint16_t(c.tls ? 443 : 80); },
                   [](const TlsCheck&) -> Port { return std::uint16_t{443}; },
                   [](const PostgresCheck&) -> Port { return std::uint16_t{5432}; },
                   [](const DnsCheck&) -> Port { return std::uint16_t{53}; },
                   [](const IcmpCheck&) -> Port { return std::uint16_t{0}; },
                   [](const ExecCheck&) -> Port { return std::uint16_t{0}; },
                   [](const PrometheusCheck&) -> Port { return std::uint16_t{0}; },
                   [](const MysqlCheck&) -> Port { return std::uint16_t{3306}; },
                   [](const RedisCheck& c) -> Port {
                       return std::uint16_t(c.mode == RedisCheck::Mode::sentinel ? 26379 : 6379);
                   },
                   [](const ZookeeperCheck&) -> Port { return std::uint16_t{2181}; },
                   [](const PatroniCheck&) -> Port { return std::uint16_t{8008}; },
                   [](const EtcdCheck&) -> Port { return std::uint16_t{2379}; },
                   [](const NatsCheck&) -> Port { return std::uint16_t{8222}; },
                   [](const MongodbCheck&) -> Port { return std::uint16_t{27017}; },
                   [](const PushCheck&) -> Port { return std::uint16_t{0}; },
                   [](const RabbitmqCheck& c) -> Port { return std::uint16_t(c.api.tls ? 15671 : 15672); },
                   [](const auto&) -> Port { return std::nullopt; }}, // tcp, grpc, agent
        kind);
}

Asked asked_of(const CheckKind& kind, const std::string& service) {
    const auto name_in = [](const std::string& host) { return host.substr(0, host.find(':')); };
    const auto of_http = [&](const auto& c) -> Asked {
        const std::string& host = c.host.empty() ? service : c.host;
        return {host, c.sni.empty() ? name_in(host) : c.sni};
    };
    return std::visit(Overloaded{[&](const HttpCheck& c) { return of_http(c); },
                                 [&](const GrpcCheck& c) { return of_http(c); },
                                 [&](const TlsCheck& c) -> Asked {
                                     return {"", c.sni.empty() ? service : c.sni};
                                 },
                                 [&](const PrometheusCheck& c) -> Asked {
                                     return {c.query.find("$host") == c.query.npos ? "" : service, ""};
                                 },
                                 [](const auto&) { return Asked{}; }},
                      kind);
}

namespace {

Reports reports_of_rules(const std::vector<FactRule>& rules) {
    using Fact = FactRule::Fact;
    Reports r;
    for (const FactRule& rule : rules) {
        r.role |= rule.fact == Fact::role;
        r.quorum |= rule.fact == Fact::quorum;
        r.lag |= rule.fact == Fact::lag || rule.fact == Fact::position;
        r.load |= rule.fact == Fact::load;
    }
    return r;
}

} // namespace

Reports reports_of(const CheckKind& kind) {
    return std::visit(
        Overloaded{
            [](const HttpCheck& c) { return reports_of_rules(c.facts); },
            [](const PrometheusCheck& c) {
                Reports r = reports_of_rules(c.facts);
                r.load = true;
                return r;
            },
            [](const ExecCheck&) { return Reports{.role = true, .quorum = true, .lag = true, .load = true}; },
            [](const PushCheck&) { return Reports{.role = true, .quorum = true, .lag = true, .load = true}; },
            [](const AgentCheck&) { return Reports{.load = true}; },
            [](const PostgresCheck&) { return Reports{.role = true, .lag = true}; },
            [](const MysqlCheck&) { return Reports{.role = true, .quorum = true, .lag = true}; },
            [](const RedisCheck& c) {
                using Mode = RedisCheck::Mode;
                return Reports{.role = c.mode != Mode::cluster,
                               .quorum = c.mode != Mode::server,
                               .lag = c.mode == Mode::server};
            },
            [](const ZookeeperCheck&) { return Reports{.role = true, .quorum = true}; },
            [](const PatroniCheck&) { return Reports{.role = true, .lag = true}; },
            [](const EtcdCheck&) { return Reports{.role = true, .quorum = true}; },
            [](const NatsCheck&) { return Reports{.role = true, .quorum = true}; },
            [](const RabbitmqCheck&) { return Reports{.quorum = true}; },
            [](const MongodbCheck&) { return Reports{.role = true, .quorum = true, .lag = true}; },
            [](const auto&) { return Reports{}; }}, // no store
        kind);
}

std::string ProbeSpec::target_text() const {
    const auto* ip = std::get_if<IpAddress>(&target);
    if (port == 0) return ip ? ip->to_string() : std::get<std::string>(target);
    return ip ? SocketAddress{*ip, port}.to_string()
              : std::get<std::string>(target) + ':' + std::to_string(port);
}

std::string ProbeSpec::key() const {
    KeyText key(kind_name(check->kind));
    key.add("target", target_text());
    key.add("host", host);
    key.add("sni", sni);
    std::visit([&](const auto& kind) { add_kind(key, kind); }, check->kind);
    add_timing(key, check->timing);
    add_requirements(key, check->requirements);
    key.add("watch", std::uint64_t{check->watch});
    for (const IpAddress& a : check->source) key.add("source", a.to_string());
    if (check->proxy) key.add("proxy", check->proxy->to_string());
    key.add("all_addresses", std::uint64_t{check->all_addresses});
    if (is_told_datacenter(check->kind)) key.add("datacenter", datacenter);
    if (std::holds_alternative<PushCheck>(check->kind)) key.add("check", check->name); // reports name it
    return key.take();
}

} // namespace fairway
