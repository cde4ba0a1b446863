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
}

void add_kind(KeyText& key, const HttpCheck& c) {
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
    key.add("body", c.body);
    key.add("window", c.body_window);
    if (c.tls) add_tls(key, c.tls_settings);
}

void add_kind(KeyText&, const TcpCheck&) {}

void add_kind(KeyText& key, const PostgresCheck& c) {
    key.add("user", c.user);
    key.add("dbname", c.dbname);
    key.add("password_file", c.password_file);
    key.add("tls", static_cast<std::uint64_t>(c.tls));
    key.add("ca", c.ca_file);
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

} // namespace

std::string_view kind_name(const CheckKind& kind) {
    return std::visit(
        Overloaded{[](const HttpCheck& c) -> std::string_view { return c.tls ? "https" : "http"; },
                   [](const TcpCheck&) -> std::string_view { return "tcp"; },
                   [](const PostgresCheck&) -> std::string_view { return "postgres"; }},
        kind);
}

std::optional<std::uint16_t> default_port(const CheckKind& kind) {
    using Port = std::optional<std::uint16_t>;
    return std::visit(
        Overloaded{[](const HttpCheck& c) -> Port { return static_cast<std::uint16_t>(c.tls ? 443 : 80); },
                   [](const TcpCheck&) -> Port { return std::nullopt; },
                   [](const PostgresCheck&) -> Port { return std::uint16_t{5432}; }},
        kind);
}

bool is_stateful(const CheckKind& kind) { return std::holds_alternative<PostgresCheck>(kind); }

std::string ProbeSpec::target_text() const {
    if (auto* ip = std::get_if<IpAddress>(&target)) return SocketAddress{*ip, port}.to_string();
    return std::get<std::string>(target) + ':' + std::to_string(port);
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
    return key.take();
}

} // namespace fairway
