// grpc: the standard health protocol (grpc/doc/health-checking.md): Health/Check for one service, over
// HTTP/2.
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"

#include <array>

namespace fairway::probes {

namespace {

constexpr std::size_t message_limit = 4096; // bytes; the response is two

/// A message in its frame: not compressed, its length in four octets. The one field of a
/// HealthCheckRequest is the service's name, field 1, wire type 2.
std::string request_for(const std::string& service) {
    std::string message;
    if (!service.empty()) {
        message = '\x0a';
        std::size_t n = service.size();
        for (; n >= 0x80; n >>= 7) message += static_cast<char>((n & 0x7f) | 0x80);
        message += static_cast<char>(n);
        message += service;
    }
    std::string frame(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) frame += static_cast<char>((message.size() >> shift) & 0xff);
    return frame + message;
}

/// The status of a HealthCheckResponse: field 1, a varint; left out it is 0. Nothing: no such message.
std::optional<unsigned> status_in(std::string_view body) {
    if (body.size() < 5 || body[0] != 0) return std::nullopt;
    std::size_t length = 0;
    for (int i = 1; i <= 4; ++i)
        length = length << 8 | static_cast<unsigned char>(body[static_cast<std::size_t>(i)]);
    body.remove_prefix(5);
    if (length != body.size()) return std::nullopt;
    if (body.empty()) return 0U;
    if (body.size() != 2 || body[0] != 0x08) return std::nullopt;
    return static_cast<unsigned char>(body[1]);
}

std::string url_of(const GrpcCheck& check, const Look& at) {
    std::string name = at.spec.sni.empty() ? at.address.ip.to_string() : at.spec.sni;
    if (name.find(':') != std::string::npos) name = "[" + name + "]";
    return (check.tls ? "https://" : "http://") + name + ":" + std::to_string(at.address.port) +
           "/grpc.health.v1.Health/Check";
}

HttpRequest request_of(const GrpcCheck& check, const Look& at) {
    HttpRequest r;
    r.url = url_of(check, at);
    r.method = "POST";
    if (!at.spec.host.empty()) r.headers.push_back("Host: " + at.spec.host);
    for (const char* h : {"Content-Type: application/grpc", "TE: trailers", "Accept:", "Expect:"})
        r.headers.emplace_back(h);
    r.body = request_for(check.service);
    r.address = at.address;
    r.route = at.route();
    r.tls = check.tls_settings;
    r.http2 = true;
    r.body_limit = message_limit;
    r.keep = {"grpc-status", "grpc-message"};
    r.judge = [](int status) { return status == 200 ? Reason::ok : Reason::wrong_status; };
    return r;
}

/// What the call itself came to (grpc/doc/statuscodes.md), if it did not succeed.
std::optional<Finding> judge_call(const HttpAnswer& answer) {
    const auto status = answer.kept.find("grpc-status");
    if (status == answer.kept.end()) return because(Reason::bad_response, "no grpc-status");
    if (status->second == "0") return std::nullopt;
    const auto message = answer.kept.find("grpc-message");
    const std::string said =
        "gRPC status " + status->second + (message == answer.kept.end() ? "" : " " + message->second);
    if (status->second == "5") return because(Reason::reported_down, said + " (the service is not known)");
    if (status->second == "7" || status->second == "16") return because(Reason::auth_failure, said);
    return because(Reason::wrong_status, said);
}

Finding judge_answer(const HttpAnswer& answer) {
    if (answer.status != 0 && answer.status != 200)
        return because(Reason::wrong_status, "HTTP " + std::to_string(answer.status));
    if (answer.reason != Reason::ok) return because(answer.reason, answer.detail);
    if (auto call = judge_call(answer)) return std::move(*call);
    static constexpr std::array<const char*, 4> words{"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
    const auto status = status_in(answer.body);
    if (!status || *status >= words.size()) return because(Reason::bad_response, "not a health response");
    return *status == 1 ? pass(words[*status]) : because(Reason::reported_down, words[*status]);
}

} // namespace

Task<Finding> look(const GrpcCheck& check, Look at) {
    Task<HttpAnswer> asking = at.tools.ask(request_of(check, at), at.silence);
    const HttpAnswer answer = co_await asking;
    Finding found = judge_answer(answer);
    co_return beside_certificate(std::move(found), answer.certificate_ends, check.tls_settings, at.loop());
}

} // namespace fairway::probes
