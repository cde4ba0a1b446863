// http, https: a request to the pinned address, asking for the name that users ask for (H7).
#include "probes/checks/check.hpp"
#include "probes/checks/facts.hpp"
#include "probes/checks/tools.hpp"
#include "probes/glue/json.hpp"
#include "probes/glue/pattern.hpp"

#include <algorithm>

namespace fairway::probes {

namespace {

bool accepted(const HttpCheck& check, int status) {
    return std::any_of(check.status.begin(), check.status.end(),
                       [&](const auto& range) { return status >= range.first && status <= range.second; });
}

/// A redirect leads to another target than the one this member is, unless told otherwise.
Reason judge(const HttpCheck& check, int status) {
    if (accepted(check, status)) return Reason::ok;
    return status >= 300 && status <= 399 && status != 304 ? Reason::redirect : Reason::wrong_status;
}

/// The name in the URL is what curl sends as SNI and verifies; it is never resolved.
std::string url_of(const HttpCheck& check, const Look& at) {
    std::string name = at.spec.sni.empty() ? at.address.ip.to_string() : at.spec.sni;
    if (name.find(':') != std::string::npos) name = "[" + name + "]";
    return (check.tls ? "https://" : "http://") + name + ":" + std::to_string(at.address.port) + check.path;
}

HttpRequest request_of(const HttpCheck& check, const Look& at, std::string url) {
    HttpRequest r;
    r.url = std::move(url);
    r.method = check.method;
    if (!at.spec.host.empty()) r.headers.push_back("Host: " + at.spec.host);
    if (!check.reuse && !check.http2) r.headers.emplace_back("Connection: close");
    for (const auto& [name, value] : check.headers) r.headers.push_back(name + ": " + value);
    r.address = at.address;
    r.route = at.route();
    r.tls = check.tls_settings;
    r.http2 = check.http2;
    r.reuse = check.reuse && !r.route.source && !r.route.proxy; // a kept connection has its own
    r.body_limit = check.body_window;
    r.judge = [&check](int status) { return judge(check, status); };
    return r;
}

/// The URL of a redirect that stays at this target; nothing if it leads elsewhere, or is none.
std::optional<std::string> here(const HttpCheck& check, const Look& at, const HttpAnswer& answer) {
    if (judge(check, answer.status) != Reason::redirect || answer.location.empty()) return std::nullopt;
    const std::string url = url_of(check, at);
    const std::string base = url.substr(0, url.size() - check.path.size());
    std::string without_port =
        base.substr(0, base.rfind(':')); // as users ask, where the port is the usual one
    const bool usual = at.address.port == (check.tls ? 443 : 80);
    for (const std::string& start : {base, usual ? without_port : base})
        if (answer.location.starts_with(start + '/')) return base + answer.location.substr(start.size());
    return std::nullopt;
}

Finding no_match(const HttpCheck& check, const HttpAnswer& answer, const std::string& what) {
    if (!answer.cut) return because(Reason::body_mismatch, what);
    return because(Reason::oversize_body,
                   what + " in the first " + std::to_string(check.body_window) + " bytes");
}

Finding judge_json(const HttpCheck& check, const HttpAnswer& answer, std::string said) {
    const std::optional<Json> json = Json::parse(answer.body);
    if (!json) return no_match(check, answer, said + ", no JSON");
    for (const auto& [pointer, is] : check.json) {
        const std::optional<std::string> found = json->at(pointer);
        if (!found) return because(Reason::body_mismatch, said + ", nothing at " + pointer);
        if (!is.holds(*found))
            return because(Reason::body_mismatch,
                           said + ", " + pointer + " is " + *found + ", expected " + is.to_string());
    }
    Facts facts;
    const std::string bad = find_facts(check.facts, *json, facts);
    if (!bad.empty())
        return because(Reason::bad_response, said + ", no such fact: " + bad + " is " + *json->at(bad));
    return pass(std::move(said), std::move(facts));
}

Finding judge_body(const HttpCheck& check, const HttpAnswer& answer, std::string said) {
    if (answer.body.find(check.body) == std::string::npos)
        return no_match(check, answer, said + ", without the expected text");
    if (!check.body_regex.empty()) {
        const Match match = search(check.body_regex, answer.body);
        if (match == Match::too_costly)
            return because(Reason::local_limit, said + ", and the pattern is too costly for its body");
        if (match == Match::no) return no_match(check, answer, said + ", without a match of the pattern");
    }
    return check.json.empty() && check.facts.empty() ? pass(std::move(said))
                                                     : judge_json(check, answer, std::move(said));
}

Finding judge_answer(const HttpCheck& check, const HttpAnswer& answer, unsigned followed) {
    const std::string said =
        "HTTP " + std::to_string(answer.status) +
        (followed ? " after " + std::to_string(followed) + (followed > 1 ? " redirects" : " redirect") : "");
    const Reason status = answer.status == 0 ? Reason::ok : judge(check, answer.status);
    if (status == Reason::redirect) return because(status, said + " to " + answer.location);
    if (status != Reason::ok) return because(status, said); // whatever came of its body
    if (answer.reason != Reason::ok) return because(answer.reason, answer.detail);
    return judge_body(check, answer, said);
}

} // namespace

Task<Finding> look(const HttpCheck& check, Look at) {
    std::string url = url_of(check, at);
    for (unsigned followed = 0;; ++followed) {
        Task<HttpAnswer> asking = at.tools.ask(request_of(check, at, std::move(url)), at.silence);
        const HttpAnswer answer = co_await asking;
        const auto next = followed < check.redirects ? here(check, at, answer) : std::nullopt;
        if (!next) {
            Finding found = judge_answer(check, answer, followed);
            co_return beside_certificate(std::move(found), answer.certificate_ends, check.tls_settings,
                                         at.loop());
        }
        url = *next;
    }
}

} // namespace fairway::probes
