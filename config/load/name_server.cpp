// dns: where it listens, who it says it is, cookies, rate limiting, TCP.
#include "config/load/binding.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <random>

namespace fairway::load {
namespace {

constexpr std::size_t max_text = 255; // of a TXT record's string, RFC 1035 section 3.3

/// For servers that share none: drawn once, so that a reload leaves cookies good.
CookieSettings::Secret own_secret() {
    static const CookieSettings::Secret secret = [] {
        std::random_device device;
        CookieSettings::Secret s;
        for (auto& octet : s) octet = static_cast<std::uint8_t>(device());
        return s;
    }();
    return secret;
}

std::optional<CookieSettings::Secret> parse_secret(std::string_view text) {
    CookieSettings::Secret secret{};
    if (text.size() != 2 * secret.size()) return std::nullopt;
    for (std::size_t i = 0; i < secret.size(); ++i) {
        const char* const digits = text.data() + 2 * i;
        const auto [end, error] = std::from_chars(digits, digits + 2, secret[i], 16);
        if (error != std::errc{} || end != digits + 2) return std::nullopt;
    }
    return secret;
}

std::string_view trimmed(std::string_view line) {
    constexpr std::string_view blank = " \t\r";
    const std::size_t first = line.find_first_not_of(blank);
    if (first == line.npos || line[first] == '#') return {};
    return line.substr(first, line.find_last_not_of(blank) - first + 1);
}

// What a line holds is never shown: a mistake in a secret is nearly a secret.
void read_secrets(const Node& n, const std::string& path, Binding& b) {
    auto& secrets = b.model.dns.cookies.secrets;
    errno = 0;
    std::ifstream in(path);
    in.peek();
    if (errno) return b.problems.error(n.place(), "`" + path + "` cannot be read: " + std::strerror(errno));
    struct stat status {};
    if (stat(path.c_str(), &status) == 0 && status.st_mode & S_IROTH)
        b.problems.warning(n.place(), "`" + path + "`: everybody on this machine may read the secrets");
    std::string line;
    for (int number = 1; std::getline(in, line); ++number) {
        const auto text = trimmed(line);
        if (text.empty()) continue;
        if (const auto secret = parse_secret(text)) secrets.push_back(*secret);
        else return b.problems.error({path, number}, "expected 32 hexadecimal digits (not shown here)");
    }
    // One that makes cookies, and the one before or the one to come (RFC 9018 section 5).
    if (secrets.empty() || secrets.size() > 2)
        b.problems.error(n.place(), "`" + path + "`: expected one or two secrets, found " +
                                        std::to_string(secrets.size()));
}

void read_cookies(const Node& n, Binding& b) {
    const Mapping m(n, "dns.cookies", b.problems);
    b.model.dns.cookies.secrets.clear();
    bool enabled = true;
    std::string path;
    m.read("enabled", enabled);
    m.read("required", b.model.dns.cookies.required);
    if (m.read("secrets", path)) read_secrets(*m.get("secrets"), path, b);
    if (!enabled) b.model.dns.cookies = {};
    else if (b.model.dns.cookies.secrets.empty()) b.model.dns.cookies.secrets = {own_secret()};
}

void read_text(const Mapping& m, std::string_view name, std::string& out) {
    if (m.read(name, out) && out.size() > max_text)
        wrong(*m.get(name), *find_key("dns.chaos." + std::string(name)), m.problems(),
              "a text of at most 255 bytes");
}

void read_chaos(const Node& n, Binding& b) {
    const Mapping m(n, "dns.chaos", b.problems);
    read_text(m, "version", b.model.dns.chaos.version);
    read_text(m, "identity", b.model.dns.chaos.identity);
}

void read_rate_limit(const Node& n, Binding& b) {
    using Class = RateLimitSettings::Class;
    const Mapping m(n, "dns.rate_limit", b.problems, "responses_per_second");
    RateLimitSettings& limit = b.model.dns.rate_limit;
    unsigned rate = 0;
    m.read("responses_per_second", rate);
    limit.rates.fill(rate);
    const auto of = [&](std::string_view name, Class c) {
        m.read(name, limit.rates[static_cast<std::size_t>(c)]);
    };
    of("answer", Class::answer);
    of("nodata", Class::nodata);
    of("nxdomain", Class::nxdomain);
    of("referral", Class::referral);
    of("error", Class::error);
    m.read("slip", limit.slip);
    m.read("ipv4_prefix", limit.ipv4_length);
    m.read("ipv6_prefix", limit.ipv6_length);
    m.read("exempt", limit.exempt);
}

void read_tcp(const Node& n, Binding& b) {
    const Mapping m(n, "dns.tcp", b.problems);
    TcpSettings& tcp = b.model.dns.tcp;
    m.read("connections", tcp.connections);
    m.read("per_client", tcp.per_client);
    m.read("idle", tcp.idle);
    m.read("total", tcp.total);
}

} // namespace

void read_dns(const Node& n, Binding& b) {
    const Mapping m(n, "dns", b.problems);
    if (m.read("listen", b.model.dns.listen) && b.model.dns.listen.empty())
        wrong(*m.get("listen"), *find_key("dns.listen"), b.problems, "at least one address");
    m.read("spin", b.model.dns.spin);
    m.read("nsid", b.model.dns.nsid);
    const Node* threads = m.get("threads");
    if (threads && !(threads->is_scalar() && threads->text == "auto")) m.read("threads", b.model.dns.threads);
    if (const Node* cookies = m.get("cookies")) read_cookies(*cookies, b);
    if (const Node* chaos = m.get("chaos")) read_chaos(*chaos, b);
    if (const Node* limit = m.get("rate_limit")) read_rate_limit(*limit, b);
    if (const Node* tcp = m.get("tcp")) read_tcp(*tcp, b);
}

void set_dns_defaults(DnsSettings& dns) {
    dns.listen = {*SocketAddress::parse("0.0.0.0:53"), *SocketAddress::parse("[::]:53")};
    dns.cookies.secrets = {own_secret()};
}

} // namespace fairway::load
