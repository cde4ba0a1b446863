#include "config/load/check_kinds.hpp"

#include "config/load/kind_readers.hpp"
#include "config/load/rdata.hpp"

#include <algorithm>
#include <cctype>
#include <unistd.h>

namespace fairway::load {

void read_file(const Mapping& m, std::string_view key, std::string& out) {
    if (m.read(key, out)) readable_file(m.get(key), out, m.problems());
}

void read_tls(const Mapping& m, TlsSettings& tls) {
    const Node* n = m.get("tls");
    if (!n) return;
    const Mapping t(*n, "checks.*.tls", m.problems(), "mode");
    t.choose("mode", tls.verify,
             {{"verify-full", TlsSettings::Verify::full},
              {"verify-ca", TlsSettings::Verify::ca},
              {"require", TlsSettings::Verify::none}});
    read_file(t, "ca", tls.ca_file);
    read_file(t, "cert", tls.cert_file);
    read_file(t, "key", tls.key_file);
    t.read("expiry_warning", tls.expiry_warning);
    if (t.has("cert") != t.has("key"))
        m.problems().error(t.place(), "tls: `cert` and `key` only make sense together");
}

/// RFC 6901: empty, or tokens that each begin with a slash; ~ is written ~0 and / is written ~1.
bool is_json_pointer(std::string_view s) {
    if (!s.empty() && s.front() != '/') return false;
    for (std::size_t i = s.find('~'); i != s.npos; i = s.find('~', i + 1))
        if (i + 1 == s.size() || (s[i + 1] != '0' && s[i + 1] != '1')) return false;
    return true;
}

bool read_comparison(const Node& n, std::string_view path, Comparison& out, Diagnostics& problems) {
    std::string text;
    const Key& key = *find_key(path);
    if (!read_value(n, key, text, problems)) return false;
    const auto c = Comparison::parse(text);
    if (!c) return wrong(n, key, problems, "a comparison such as green, != red or >= 3"), false;
    out = *c;
    return true;
}

namespace {

std::optional<int> status_code(std::string_view text) {
    if (text.size() != 3 || text.find_first_not_of("0123456789") != text.npos) return std::nullopt;
    const int code = (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
    return code >= 100 && code <= 599 ? std::optional(code) : std::nullopt;
}

/// "200", "200-299", or several with commas.
void read_status(const Node& n, HttpCheck& c, Diagnostics& problems) {
    std::string_view text = n.text;
    while (true) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view part = text.substr(0, comma);
        const std::size_t dash = part.find('-');
        const auto first = status_code(part.substr(0, dash));
        const auto last = dash == part.npos ? first : status_code(part.substr(dash + 1));
        if (!n.is_scalar() || !first || !last || *last < *first)
            return wrong(n, *find_key("checks.*.status"), problems,
                         "a status code or a range such as 200-299");
        c.status.emplace_back(*first, *last);
        if (comma == text.size()) return;
        text.remove_prefix(comma + 1);
    }
}

void read_statuses(const Mapping& m, HttpCheck& c) {
    const Node* n = m.get("status");
    if (!n) return;
    c.status.clear();
    if (!n->is_sequence()) return read_status(*n, c, m.problems());
    for (const Node& item : n->items) read_status(item, c, m.problems());
}

bool token(std::string_view s) { // RFC 9110 section 5.6.2
    return !s.empty() && std::all_of(s.begin(), s.end(), [](unsigned char c) {
        return std::isalnum(c) ||
               std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

void read_headers(const Mapping& m, HttpCheck& c) {
    const Node* n = m.get("headers");
    if (!n) return;
    const Mapping headers(*n, "checks.*.headers", m.problems());
    for (const auto& e : headers.entries()) {
        std::string value;
        if (!read_value(*e.value, *find_key("checks.*.headers.*"), value, m.problems())) continue;
        if (!token(e.name) || value.find_first_of("\r\n") != value.npos)
            m.problems().error(e.place, "`" + std::string(e.name) + "` cannot be sent as a header");
        c.headers.emplace_back(e.name, std::move(value));
    }
}

void read_pattern(const Mapping& m, std::string& out) {
    if (!m.read("body_regex", out)) return;
    const std::string error = pattern_error(out);
    if (!error.empty()) m.problems().error(m.get("body_regex")->place(), "body_regex: " + error);
}

void read_json(const Mapping& m, HttpCheck& c) {
    const Node* n = m.get("json");
    if (!n) return;
    const Mapping pointers(*n, "checks.*.json", m.problems());
    for (const auto& e : pointers.entries()) {
        Comparison is;
        if (!is_json_pointer(e.name))
            m.problems().error(e.place, "`" + std::string(e.name) + "` is no JSON pointer such as /status");
        if (read_comparison(*e.value, "checks.*.json.*", is, m.problems()))
            c.json.emplace_back(e.name, std::move(is));
    }
}

HttpCheck read_http(const Mapping& m, bool tls) {
    HttpCheck c;
    c.tls = tls;
    m.read("method", c.method);
    if (!token(c.method))
        wrong(*m.get("method"), *find_key("checks.*.method"), m.problems(), "a request method");
    if (m.read("path", c.path) && (c.path.front() != '/' || c.path.find_first_of(" \r\n") != c.path.npos))
        wrong(*m.get("path"), *find_key("checks.*.path"), m.problems(),
              "a path that starts with / and has no spaces");
    read_headers(m, c);
    read_statuses(m, c);
    m.choose("http_version", c.http2, {{"1.1", false}, {"2", true}});
    m.read("reuse", c.reuse);
    m.read("redirects", c.redirects);
    m.read("body", c.body);
    read_pattern(m, c.body_regex);
    read_json(m, c);
    unsigned window = 0;
    if (m.read("body_window", window)) c.body_window = window;
    m.read("host", c.host);
    m.read("sni", c.sni);
    if (tls) read_tls(m, c.tls_settings);
    c.facts = read_facts(m);
    return c;
}

Exchange read_exchange(const Mapping& m) {
    Exchange e;
    m.read("send", e.send);
    m.read("expect", e.expect);
    return e;
}

TlsCheck read_tls_session(const Mapping& m) {
    TlsCheck c;
    m.read("sni", c.sni);
    read_tls(m, c.tls_settings);
    c.exchange = read_exchange(m);
    return c;
}

GrpcCheck read_grpc(const Mapping& m) {
    GrpcCheck c;
    m.read("service", c.service);
    m.read("host", c.host);
    m.read("sni", c.sni);
    c.tls = m.has("tls");
    read_tls(m, c.tls_settings);
    return c;
}

void read_data(const Mapping& m, DnsCheck& c, std::uint16_t type) {
    if (!m.read("data", c.data)) return;
    RdataReader reader{Name()};
    for (const std::string& text : c.data) {
        std::string error;
        if (!reader.read(type, text, error))
            m.problems().error(m.get("data")->place(), "data: `" + text + "`: " + error);
    }
    if (c.rcode != "NOERROR") m.problems().error(m.place_of("data"), "`data` only comes with NOERROR");
}

DnsCheck read_dns(const Mapping& m) {
    DnsCheck c;
    if (!m.read("query", c.name)) {
        if (!m.has("query"))
            m.problems().error(m.place(), "a check of type dns needs a `query`: the name asked for");
    } else if (!Name::parse(c.name)) {
        wrong(*m.get("query"), *find_key("checks.*.query"), m.problems(), "a domain name");
    }
    m.read("record", c.type);
    const auto type = record_type(c.type);
    if (!type)
        wrong(*m.get("record"), *find_key("checks.*.record"), m.problems(), "a record type such as AAAA");
    m.choose<std::string>("rcode", c.rcode,
                          {{"NOERROR", "NOERROR"},
                           {"NXDOMAIN", "NXDOMAIN"},
                           {"SERVFAIL", "SERVFAIL"},
                           {"REFUSED", "REFUSED"},
                           {"NOTIMP", "NOTIMP"},
                           {"FORMERR", "FORMERR"},
                           {"NOTAUTH", "NOTAUTH"}});
    if (type) read_data(m, c, *type);
    return c;
}

/// The program is relative to the file that names it, like every path; what it is told is not.
ExecCheck read_exec(const Mapping& m) {
    ExecCheck c;
    const Node* n = m.get("command");
    if (!n) m.problems().error(m.place(), "a check of type exec needs a `command`");
    if (!m.read("command", c.command)) return c;
    if (c.command.empty()) return wrong(*n, *find_key("checks.*.command"), m.problems()), c;
    const Node& program = n->is_sequence() ? n->items.front() : *n;
    if (program.text.find('/') == program.text.npos) return c; // looked up in PATH when it is run
    c.command.front() = program.path().string();
    if (access(c.command.front().c_str(), X_OK) != 0)
        m.problems().warning(program.place(),
                             "`" + program.text + "` is not there or cannot be executed now");
    return c;
}

PrometheusCheck read_prometheus(const Mapping& m) {
    PrometheusCheck c;
    m.read("query", c.query);
    m.read("url", c.url);
    for (std::string_view key : {"url", "query"})
        if (!m.has(key))
            m.problems().error(m.place(), "a check of type prometheus needs a `" + std::string(key) + "`");
    if (!c.url.empty() && !c.url.starts_with("http://") && !c.url.starts_with("https://"))
        wrong(*m.get("url"), *find_key("checks.*.url"), m.problems(), "http://HOST[:PORT] or https://");
    if (const Node* n = m.get("value"))
        read_comparison(*n, "checks.*.value", c.value.emplace(), m.problems());
    read_tls(m, c.tls_settings);
    c.facts = read_facts(m);
    return c;
}

AgentCheck read_agent(const Mapping& m) {
    AgentCheck c;
    m.read("send", c.send);
    return c;
}

PushCheck read_push(const Mapping& m) {
    PushCheck c;
    m.read("ttl", c.ttl);
    const Node* n = m.get("tokens");
    if (!n)
        return m.problems().error(m.place(), "a check of type push needs `tokens`: {DATACENTER: FILE}"), c;
    const Mapping tokens(*n, "checks.*.tokens", m.problems());
    for (const auto& e : tokens.entries()) {
        std::string& file = c.tokens.emplace_back(e.name, "").second;
        if (read_value(*e.value, *find_key("checks.*.tokens.*"), file, m.problems()))
            readable_file(e.value, file, m.problems());
    }
    return c;
}

} // namespace

bool read_kind(const Mapping& m, CheckKind& kind) {
    using Read = CheckKind (*)(const Mapping&);
    Read read = nullptr;
    if (!m.choose<Read>("type", read,
                        {{"http", [](const Mapping& c) -> CheckKind { return read_http(c, false); }},
                         {"https", [](const Mapping& c) -> CheckKind { return read_http(c, true); }},
                         {"tcp", [](const Mapping& c) -> CheckKind { return TcpCheck{read_exchange(c)}; }},
                         {"tls", [](const Mapping& c) -> CheckKind { return read_tls_session(c); }},
                         {"dns", [](const Mapping& c) -> CheckKind { return read_dns(c); }},
                         {"grpc", [](const Mapping& c) -> CheckKind { return read_grpc(c); }},
                         {"icmp", [](const Mapping&) -> CheckKind { return IcmpCheck{}; }},
                         {"agent", [](const Mapping& c) -> CheckKind { return read_agent(c); }},
                         {"exec", [](const Mapping& c) -> CheckKind { return read_exec(c); }},
                         {"prometheus", [](const Mapping& c) -> CheckKind { return read_prometheus(c); }},
                         {"push", [](const Mapping& c) -> CheckKind { return read_push(c); }},
                         {"patroni", [](const Mapping& c) -> CheckKind { return read_patroni(c); }},
                         {"etcd", [](const Mapping& c) -> CheckKind { return read_etcd(c); }},
                         {"nats", [](const Mapping& c) -> CheckKind { return read_nats(c); }},
                         {"mongodb", [](const Mapping& c) -> CheckKind { return read_mongodb(c); }},
                         {"rabbitmq", [](const Mapping& c) -> CheckKind { return read_rabbitmq(c); }},
                         {"postgres", [](const Mapping& c) -> CheckKind { return read_postgres(c); }},
                         {"mysql", [](const Mapping& c) -> CheckKind { return read_mysql(c); }},
                         {"redis", [](const Mapping& c) -> CheckKind { return read_redis(c); }},
                         {"zookeeper", [](const Mapping& c) -> CheckKind { return read_zookeeper(c); }}}))
        return false;
    kind = read(m);
    return true;
}

} // namespace fairway::load
