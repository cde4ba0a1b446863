#include "probes/checks/api.hpp"

#include "probes/checks/password.hpp"
#include "probes/checks/tools.hpp"

#include <charconv>

namespace fairway::probes {

namespace {

constexpr std::size_t answer_limit = 1024 * 1024; // bytes: the nodes of a large cluster, described at length

std::string base64(std::string_view text) { // RFC 4648 section 4
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k)
            group = group << 8 | (i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u);
        for (std::size_t k = 0; k < 4; ++k)
            out += i + k <= text.size() ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
    return out;
}

/// The name in the URL is what is sent as SNI and verified; nothing resolves it.
std::string url_of(const ApiAccess& api, const Look& at, const std::string& path) {
    const auto* target = std::get_if<std::string>(&at.spec.target);
    std::string name = !api.sni.empty() ? api.sni : target ? *target : at.address.ip.to_string();
    if (name.find(':') != std::string::npos) name = "[" + name + "]";
    return (api.tls ? "https://" : "http://") + name + ":" + std::to_string(at.address.port) + path;
}

HttpRequest request_of(const ApiAccess& api, const Look& at, const std::string& path, std::string body,
                       Welcome welcome) {
    HttpRequest r;
    r.url = url_of(api, at, path);
    r.method = body.empty() ? "GET" : "POST";
    r.headers = {"Connection: close", "Accept: application/json"};
    if (!body.empty()) r.headers.emplace_back("Content-Type: application/json");
    r.body = std::move(body);
    r.address = at.address;
    r.route = at.route();
    r.tls = api.tls_settings;
    r.body_limit = answer_limit;
    r.judge = [welcome](int status) { return welcome(status) ? Reason::ok : Reason::wrong_status; };
    return r;
}

ApiAnswer answer_of(const HttpAnswer& http, const std::string& path, Welcome welcome) {
    ApiAnswer a{.status = http.status};
    const std::string said = "HTTP " + std::to_string(http.status) + " to " + path.substr(0, path.find('?'));
    if (http.status == 401 || http.status == 403) a.problem = because(Reason::auth_failure, said);
    else if (http.status != 0 && !welcome(http.status)) a.problem = because(Reason::wrong_status, said);
    else if (http.reason != Reason::ok) a.problem = because(http.reason, http.detail);
    else if (http.cut) a.problem = because(Reason::oversize_body, "more than 1 MiB from " + path);
    else if (!(a.json = Json::parse(http.body)))
        a.problem = because(Reason::bad_response, said + ", no JSON");
    return a;
}

} // namespace

std::optional<std::uint64_t> ApiAnswer::number(const std::string& pointer) const {
    const std::string digits = text(pointer);
    std::uint64_t n = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
    const bool whole = error == std::errc() && end == digits.data() + digits.size();
    return whole ? std::optional(n) : std::nullopt;
}

std::string ApiAnswer::text(const std::string& pointer) const { return json->at(pointer).value_or(""); }

Task<ApiAnswer> ask(const ApiAccess& api, const Look& at, std::string path, std::string body, Welcome welcome,
                    Reason& silence) {
    HttpRequest request = request_of(api, at, path, std::move(body), welcome);
    const auto password = password_in(api.password_file);
    if (!password) {
        ApiAnswer none{.problem = because(Reason::internal, "cannot read " + api.password_file)};
        co_return none;
    }
    if (!api.user.empty())
        request.headers.push_back("Authorization: Basic " + base64(api.user + ":" + *password));
    Task<HttpAnswer> asking = at.tools.ask(std::move(request), silence);
    const HttpAnswer http = co_await asking;
    ApiAnswer answer = answer_of(http, path, welcome);
    co_return answer;
}

Finding because(Reason reason, std::string detail, Facts facts) {
    Finding f = because(reason, std::move(detail));
    f.facts = std::move(facts);
    return f;
}

Finding degraded(Reason reason, std::string detail, Facts facts) {
    Finding f = pass(std::move(detail), std::move(facts));
    f.outcome = Outcome::degraded;
    f.reason = reason;
    return f;
}

} // namespace fairway::probes
