#include "config/load/binding.hpp"

#include <algorithm>
#include <cctype>
#include <limits>

namespace fairway::load {
namespace {

/// Which keys belong to which kinds only; all others belong to every kind.
struct Belongs {
    std::string_view key, kinds;
};
constexpr Belongs belongs[] = {
    {"method", "http | https"}, {"path", "http | https"}, {"headers", "http | https"},
    {"status", "http | https"}, {"body", "http | https"}, {"body_window", "http | https"},
    {"host", "http | https"},   {"sni", "https"},         {"tls", "https | postgres"},
    {"user", "postgres"},       {"dbname", "postgres"},   {"password_file", "postgres"},
    {"role", "postgres"},       {"max_lag", "postgres"},  {"quorum", "postgres"},
    {"require", "postgres"},
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
    if (t.has("cert") != t.has("key"))
        m.problems().error(t.place(), "tls: `cert` and `key` only make sense together");
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
    m.read("body", c.body);
    unsigned window = 0;
    if (m.read("body_window", window)) c.body_window = window;
    m.read("host", c.host);
    m.read("sni", c.sni);
    if (tls) read_tls(m, c.tls_settings);
    return c;
}

PostgresCheck read_postgres(const Mapping& m) {
    using Tls = PostgresCheck::Tls;
    PostgresCheck c;
    c.user = "fairway";
    c.dbname = "postgres";
    m.read("user", c.user);
    m.read("dbname", c.dbname);
    read_file(m, "password_file", c.password_file);
    if (const Node* n = m.get("tls")) {
        const Mapping t(*n, "checks.*.tls", m.problems(), "mode");
        t.choose("mode", c.tls,
                 {{"off", Tls::off},
                  {"prefer", Tls::prefer},
                  {"require", Tls::require},
                  {"verify-ca", Tls::verify_ca},
                  {"verify-full", Tls::verify_full}});
        read_file(t, "ca", c.ca_file);
        for (std::string_view key : {"cert", "key"})
            if (t.has(key))
                not_supported(t.place_of(key), "checks.*.tls." + std::string(key) + " of postgres",
                              m.problems());
    }
    return c;
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

/// False if the kind cannot be looked at.
bool read_kind(const Mapping& m, CheckKind& kind) {
    enum class Kind { http, https, tcp, postgres };
    Kind which{};
    if (!m.choose(
            "type", which,
            {{"http", Kind::http}, {"https", Kind::https}, {"tcp", Kind::tcp}, {"postgres", Kind::postgres}}))
        return false;
    switch (which) {
    case Kind::http: kind = read_http(m, false); break;
    case Kind::https: kind = read_http(m, true); break;
    case Kind::tcp: kind = TcpCheck{}; break;
    case Kind::postgres: kind = read_postgres(m); break;
    }
    refuse_foreign_keys(m, kind_name(kind));
    return true;
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
        m.read("port", check->port);
        m.read("watch", check->watch);
        read_timing(m, check->timing);
        read_requirements(m, check->requirements);
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
