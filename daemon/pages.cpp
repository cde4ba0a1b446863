#include "daemon/pages.hpp"

#include "daemon/serialize.hpp"

namespace fairway::daemon {

namespace {

constexpr const char* plain = "text/plain; charset=utf-8";

HttpResponse no_report() { return {503, "the control thread has not answered yet\n", plain}; }

}

HttpResponse Pages::answer(const HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") return {405, error_json("only GET")};
    if (request.path == "/healthz") return {200, "ok\n", plain};
    if (request.path == "/readyz") return ready();
    if (request.path == "/metrics") return metrics();
    if (request.path == "/status") return status();
    if (request.path == "/") return {200, "fairway: /status /metrics /healthz /readyz\n", plain};
    return {404, error_json("there are /status, /metrics, /healthz and /readyz")};
}

HttpResponse Pages::metrics() const {
    const auto latest = reports_.latest();
    if (!latest.report) return no_report();
    return {200, metrics_.text(*latest.report, vitals_(), latest.age),
            "text/plain; version=0.0.4; charset=utf-8"};
}

HttpResponse Pages::status() const {
    const auto latest = reports_.latest();
    return latest.report ? HttpResponse{200, to_json(*latest.report)} : no_report();
}

HttpResponse Pages::ready() const {
    const auto latest = reports_.latest();
    if (!latest.report) return no_report();
    std::string undecided;
    for (const auto& s : latest.report->services)
        if (s.state == "undecided") undecided += s.name + ": undecided\n";
    return undecided.empty() ? HttpResponse{200, "ready\n", plain} : HttpResponse{503, undecided, plain};
}

} // namespace fairway::daemon
