#include "daemon/pages.hpp"

#include "daemon/control_api.hpp"
#include "daemon/page/assets.hpp"
#include "daemon/serialize.hpp"

#include <algorithm>
#include <charconv>

namespace fairway::daemon {

namespace {

constexpr const char* plain = "text/plain; charset=utf-8";
constexpr const char* html_type = "text/html; charset=utf-8";
constexpr std::string_view service_root = "/service/", datacenter_root = "/datacenter/";
constexpr std::int64_t moments = 25, moments_a_page = 100;

HttpResponse no_report() { return {503, "the control thread has not answered yet\n", plain}; }

std::string argument(const HttpRequest& request, const char* key) {
    const auto it = request.query.find(key);
    return it == request.query.end() ? std::string() : it->second;
}

std::int64_t number(const HttpRequest& request, const char* key) {
    const std::string text = argument(request, key);
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return std::max<std::int64_t>(n, 0);
}

}

HttpResponse Pages::answer(const HttpRequest& request) const {
    if (request.method != "GET" && request.method != "HEAD") return {405, error_json("only GET")};
    if (request.path == "/healthz") return {200, "ok\n", plain};
    if (request.path == "/readyz") return ready();
    if (request.path == "/metrics") return metrics();
    if (request.path == "/status") return status();
    if (request.path == "/style.css") return {200, std::string(page::style_css), "text/css; charset=utf-8"};
    if (request.path == "/live.js")
        return {200, std::string(page::live_js), "text/javascript; charset=utf-8"};
    if (request.path == "/icon.svg") return {200, std::string(page::icon_svg), "image/svg+xml"};
    return html(request);
}

HttpResponse Pages::metrics() const {
    const auto latest = reports_.latest();
    if (!latest.report) return no_report();
    std::string text = metrics_.text(*latest.report, office_.vitals(), latest.age);
    if (office_.carried) text = office_.carried(std::move(text));
    return {200, std::move(text), "text/plain; version=0.0.4; charset=utf-8"};
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
        else if (s.awaited) undecided += s.name + ": decided, its first answer waits for the disk\n";
    if (!undecided.empty()) return {503, undecided, plain};
    std::string text = "ready\n"; // and what ails this node itself, which goes on answering all the same
    for (const auto& a : latest.report->alarms)
        if (a.service.empty() && a.datacenter.empty()) text += "but " + a.id + ": " + a.text + "\n";
    return {200, std::move(text), plain};
}

// ---- for people

HttpResponse Pages::html(const HttpRequest& request) const {
    const auto latest = reports_.latest();
    if (!latest.report) return no_report();
    page::Facts facts{*latest.report, office_.node, latest.age > ControlApi::patience, {}, {}};
    const std::string& path = request.path;
    if (path == "/") {
        remember(facts, {.limit = moments});
        const page::Listing listing{
            argument(request, "find"),
            static_cast<std::size_t>(std::max<std::int64_t>(number(request, "page"), 1))};
        return {200, page::overview(facts, listing), html_type};
    }
    if (path == "/timeline") return timeline(request, facts);
    if (path.starts_with(service_root)) return service(request, facts, path.substr(service_root.size()));
    if (path.starts_with(datacenter_root)) {
        const std::string name = path.substr(datacenter_root.size());
        const bool known = std::ranges::any_of(latest.report->services, [&](const auto& s) {
            return std::ranges::find(s.endpoints, name, &policies::EndpointReport::datacenter) !=
                   s.endpoints.end();
        });
        if (known) {
            remember(facts, {.datacenter = name, .limit = moments});
            return {200, page::datacenter(facts, name), html_type};
        }
    }
    return {404, page::not_found(facts, "There is nothing at " + path + "."), html_type};
}

HttpResponse Pages::service(const HttpRequest& request, page::Facts& facts, const std::string& name) const {
    const auto found = std::ranges::find(facts.report.services, name, &policies::ServiceReport::name);
    const auto parsed = Title::parse(name);
    if (found == facts.report.services.end() || !parsed)
        return {404, page::not_found(facts, "There is no service " + name + "."), html_type};
    page::Explained explained{argument(request, "client"), {}, {}};
    const auto client = IpAddress::parse(explained.typed);
    if (!client && !explained.typed.empty())
        explained.problem = explained.typed + " is not an address, such as 192.0.2.1 or 2001:db8::1";
    const auto view =
        desk_.ask([f = office_.view, n = *parsed, client] { return f(n, client); }, NewestReport::patience);
    std::set<MemberId> members;
    if (view && *view) {
        members = (*view)->members;
        explained.explanation = (*view)->explanation;
    } else if (client) {
        explained.problem = "the daemon did not answer in time; try again";
    }
    remember(facts, {.service = found->name, .limit = moments});
    return {200, page::service(facts, *found, members, explained), html_type};
}

HttpResponse Pages::timeline(const HttpRequest& request, page::Facts& facts) const {
    remember(facts, {.before = number(request, "before"), .limit = moments_a_page});
    const bool more = facts.history.size() == static_cast<std::size_t>(moments_a_page);
    const std::string older =
        more ? "/timeline?before=" + std::to_string(facts.history.back().number) : std::string();
    return {200, page::timeline(facts, older), html_type};
}

void Pages::remember(page::Facts& facts, const JournalQuery& query) const {
    try {
        facts.history = history_.read(query);
    } catch (const std::runtime_error& e) {
        facts.history_problem = std::string("The journal cannot be read: ") + e.what();
    }
}

} // namespace fairway::daemon
