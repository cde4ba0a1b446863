// prometheus: what a Prometheus server knows of the target, by an instant query (its HTTP API,
// /api/v1/query).
//
// It is hearsay: a Prometheus that cannot be asked, or has no sample, says nothing of the target, so that is
// unknown and never a failure.
#include "config/counted.hpp"
#include "probes/checks/check.hpp"
#include "probes/checks/facts.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/json.hpp"

#include <array>
#include <charconv>

namespace fairway::probes {

namespace {

constexpr std::size_t answer_limit = 1024 * 1024; // bytes: some thousand samples, where one is meant

struct Server {
    std::string scheme, host, path; ///< host without brackets
    std::uint16_t port = 0;
};

std::optional<Server> parse(std::string_view url) {
    Server s;
    const std::size_t colon = url.find("://");
    if (colon == url.npos) return std::nullopt;
    s.scheme = url.substr(0, colon);
    url.remove_prefix(colon + 3);
    const std::size_t slash = std::min(url.find('/'), url.size());
    s.path = url.substr(slash);
    while (s.path.ends_with('/')) s.path.pop_back();
    std::string_view authority = url.substr(0, slash);
    const bool bracketed = authority.starts_with('[');
    const std::size_t end = bracketed ? authority.find(']') : authority.find(':');
    s.host = authority.substr(bracketed, bracketed ? end - 1 : end);
    s.port = s.scheme == "https" ? 443 : 80;
    const std::size_t port = authority.find(':', bracketed ? end : 0);
    if (port == authority.npos) return s;
    const std::string_view digits = authority.substr(port + 1);
    const auto [last, error] = std::from_chars(digits.data(), digits.data() + digits.size(), s.port);
    return error == std::errc() && last == digits.data() + digits.size() ? std::optional(s) : std::nullopt;
}

std::string replaced(std::string text, std::string_view word, const std::string& by) {
    for (std::size_t at = text.find(word); at != text.npos; at = text.find(word, at + by.size()))
        text.replace(at, word.size(), by);
    return text;
}

std::string escaped(std::string_view text) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out;
    for (const unsigned char c : text) {
        if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') out += static_cast<char>(c);
        else out.append({'%', hex[c >> 4], hex[c & 15]});
    }
    return out;
}

std::string query_of(const PrometheusCheck& check, const Look& at) {
    std::string q = replaced(check.query, "$address", at.address.ip.to_string());
    q = replaced(std::move(q), "$port", std::to_string(at.address.port));
    q = replaced(std::move(q), "$host", at.spec.host);
    return replaced(std::move(q), "$datacenter", at.spec.datacenter);
}

HttpRequest request_of(const PrometheusCheck& check, const Look& at, const Server& server,
                       const IpAddress& ip) {
    HttpRequest r;
    const bool v6 = server.host.find(':') != std::string::npos;
    r.url = server.scheme + "://" + (v6 ? "[" + server.host + "]" : server.host) + ":" +
            std::to_string(server.port) + server.path + "/api/v1/query?query=" + escaped(query_of(check, at));
    r.headers = {"Connection: close"};
    r.address = {ip, server.port};
    r.tls = check.tls_settings;
    r.body_limit = answer_limit;
    r.judge = [](int status) { return status == 200 ? Reason::ok : Reason::no_data; };
    return r;
}

Finding no_data(std::string detail) { return because(Reason::no_data, "prometheus: " + std::move(detail)); }

/// Whose load we are told: the only sample there is, or, of a query `by (dc)`, the one that is labelled with
/// our datacenter.
std::optional<std::size_t> sample_of(const std::string& datacenter, const Json& json, std::size_t count) {
    bool labelled = false;
    for (std::size_t i = 0; i < count; ++i)
        for (const char* label : {"/metric/dc", "/metric/datacenter"})
            if (const auto whose = json.at("/data/result/" + std::to_string(i) + label)) {
                if (*whose == datacenter) return i;
                labelled = true;
            }
    return labelled || count > 1 ? std::nullopt : std::optional<std::size_t>(0);
}

/// Each sample is [time, "value"]; a vector has one in each element, a scalar is one.
Finding judge(const PrometheusCheck& check, const std::string& datacenter, const HttpAnswer& answer) {
    if (answer.status != 200 && answer.status != 0) {
        const auto json = Json::parse(answer.body);
        const auto error = json ? json->at("/error") : std::nullopt;
        return no_data("HTTP " + std::to_string(answer.status) + (error ? " " + *error : ""));
    }
    if (answer.reason != Reason::ok) return no_data(answer.detail);
    const std::optional<Json> json = Json::parse(answer.body);
    if (!json || json->at("/status") != "success") return no_data("not an answer to a query");
    const bool scalar = json->at("/data/resultType") == "scalar";
    if (!scalar && json->at("/data/resultType") != "vector") return no_data("neither a vector nor a scalar");
    const std::size_t count = scalar ? 1 : json->size("/data/result");
    if (count == 0) return no_data("no sample");

    Facts facts;
    const auto load_at = scalar ? std::optional<std::size_t>(0) : sample_of(datacenter, *json, count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto value =
            json->at(scalar ? "/data/result/1" : "/data/result/" + std::to_string(i) + "/value/1");
        if (!value || !parse_number(*value)) return no_data("a sample without a number"); // NaN, Inf
        if (check.value && !check.value->holds(*value))
            return because(Reason::body_mismatch, *value + ", expected " + check.value->to_string());
        if (i == load_at) facts.load = parse_number(*value);
    }
    if (!check.facts.empty()) {
        if (scalar || count > 1) return no_data("facts are taken from one sample of a vector");
        const std::string bad = find_facts(check.facts, *json->part("/data/result/0"), facts);
        if (!bad.empty()) return no_data("no such fact: " + bad);
    }
    return pass(counted(count, "sample"), std::move(facts));
}

} // namespace

std::optional<std::string> name_asked(const PrometheusCheck& check) {
    const auto server = parse(check.url);
    return server ? std::optional(server->host) : std::nullopt;
}

Task<Finding> look(const PrometheusCheck& check, Look at) {
    at.silence = Reason::no_data;
    const std::optional<Server> server = parse(check.url);
    if (!server) co_return because(Reason::internal, "no URL of a server: " + check.url);
    Task<Resolution> resolving = at.tools.book.find(server->host);
    const Resolution known = co_await resolving;
    if (known.addresses.empty()) co_return no_data(known.error);

    Reason unused{}; // however it is silent, it says nothing of the target
    Task<HttpAnswer> asking = at.tools.ask(request_of(check, at, *server, known.addresses.front()), unused);
    const HttpAnswer answer = co_await asking;
    co_return judge(check, at.spec.datacenter, answer);
}

} // namespace fairway::probes
