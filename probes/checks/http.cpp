// http, https: a request to the pinned address, asking for the name that users ask for (H7).
#include "probes/checks/check.hpp"
#include "probes/glue/curl.hpp"
#include "probes/glue/socket.hpp"

#include <algorithm>
#include <cstring>

namespace fairway::probes {

namespace {

bool accepted(const HttpCheck& check, int status) {
    return std::any_of(check.status.begin(), check.status.end(),
                       [&](const auto& range) { return status >= range.first && status <= range.second; });
}

/// A redirect is not followed: it would lead to another target than the one this member is.
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

HttpRequest request_of(const HttpCheck& check, const Look& at) {
    HttpRequest r;
    r.url = url_of(check, at);
    r.method = check.method;
    if (!at.spec.host.empty()) r.headers.push_back("Host: " + at.spec.host);
    r.headers.emplace_back("Connection: close");
    for (const auto& [name, value] : check.headers) r.headers.push_back(name + ": " + value);
    r.address = at.address;
    r.tls = check.tls_settings;
    r.body_limit = check.body_window;
    r.judge = [&check](int status) { return judge(check, status); };
    return r;
}

Finding judge_body(const HttpCheck& check, const HttpAnswer& answer, std::string said) {
    if (check.body.empty() || answer.body.find(check.body) != std::string::npos) return pass(std::move(said));
    if (!answer.cut) return because(Reason::body_mismatch, said + ", without the expected text");
    return because(Reason::oversize_body, said + ", without the expected text in the first " +
                                              std::to_string(check.body_window) + " bytes");
}

Finding judge_answer(const HttpCheck& check, const HttpAnswer& answer) {
    const std::string said = "HTTP " + std::to_string(answer.status);
    const Reason status = answer.status == 0 ? Reason::ok : judge(check, answer.status);
    if (status == Reason::redirect) return because(status, said + " to " + answer.location);
    if (status != Reason::ok) return because(status, said); // whatever came of its body
    if (answer.reason != Reason::ok) return because(answer.reason, answer.detail);
    return judge_body(check, answer, said);
}

} // namespace

Task<Finding> look(const HttpCheck& check, Look at) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop, at.address);
    Connection c = co_await connecting;
    if (c.error != 0) co_return because(reason_of_errno(c.error, at.address), std::strerror(c.error));

    Task<HttpAnswer> asking = at.curl.perform(request_of(check, at), std::move(c.socket), at.silence);
    const HttpAnswer answer = co_await asking;
    co_return judge_answer(check, answer);
}

Task<void> hold(const HttpCheck&, Look at) {
    return hold_open(at.loop, at.address, at.spec.check->timing.timeout);
}

} // namespace fairway::probes
