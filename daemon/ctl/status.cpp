// status: what is answered, where, why, and what somebody should know of.
#include "daemon/ctl/command.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>

namespace fairway::ctl {

namespace {

using daemon::JsonValue;
using namespace std::chrono_literals;
using Rows = std::vector<std::vector<Cell>>;

Colour of_state(const std::string& state) {
    if (state == "serving") return Colour::good;
    return state == "undecided" ? Colour::warn : Colour::bad;
}

Colour of_verdict(const std::string& verdict) {
    if (verdict == "ready") return Colour::good;
    return verdict == "unready" ? Colour::bad : Colour::warn;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string percent(const JsonValue& e) {
    return std::to_string(static_cast<int>(100 * e.number("share").value_or(0) + 0.5)) + " %";
}

std::string lag(const JsonValue& e) {
    const auto ms = e.number("lag_ms");
    return ms ? std::to_string(static_cast<long>(*ms)) + " ms" : "-";
}

std::string joined(const std::vector<JsonValue>& parts) {
    std::string all;
    for (const auto& p : parts) all += (all.empty() ? "" : " ") + p.text();
    return or_dash(all);
}

void alarms(Context& c, const JsonValue& report) {
    for (const auto& a : report.at("alarms").items())
        c.terminal.line("ALARM " + a.text("severity") + ": " + a.text("text") + " (" + a.text("id") +
                            ", for " + between(a.text("since"), report.text("at")) + ")",
                        a.text("severity") == "critical" ? Colour::bad : Colour::warn);
}

void services(Context& c, const JsonValue& report) {
    if (report.at("services").items().empty())
        return c.terminal.line(
            "no service is configured: write one under `services:` (fairway.yaml(5)), then "
            "fairwayctl reload");
    Rows rows{{"SERVICE", "STATE", "ACTIVE", "PREFERRED", "TTL", "SINCE", "WHY"}};
    for (const auto& s : report.at("services").items())
        rows.push_back({s.text("name"),
                        {s.text("state"), of_state(s.text("state"))},
                        or_dash(s.text("active")),
                        or_dash(s.text("preferred")),
                        s.text("ttl"),
                        between(s.text("since"), report.text("at")),
                        s.text("reason")});
    c.terminal.table(rows);
}

std::string number(const JsonValue& d, const char* key) {
    const auto value = d.number(key);
    if (!value) return "-";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", *value);
    return text.data();
}

std::string use(const JsonValue& d) {
    const auto value = d.number("use");
    return value ? std::to_string(std::lround(100 * *value)) + " %" : "-";
}

Colour of_use(const JsonValue& d) {
    const double value = d.number("use").value_or(0);
    return value > 1 ? Colour::bad : value > 0.8 ? Colour::warn : Colour::none;
}

void datacenters(Context& c, const JsonValue& report) {
    Rows rows{{"DATACENTER", "SERVICES", "SHARES", "LOAD", "CAPACITY", "USE"}};
    for (const auto& d : report.at("datacenters").items())
        rows.push_back({d.text("name"),
                        d.text("answers"),
                        number(d, "services"),
                        number(d, "load"),
                        number(d, "capacity"),
                        {use(d), of_use(d)}});
    if (rows.size() == 1) return;
    c.terminal.line("");
    c.terminal.table(rows);
}

void endpoints(Context& c, const JsonValue& report) {
    Rows rows{{"SERVICE", "DATACENTER", "APPLICATION", "STATEFUL", "ROLE", "LAG", "SHARE", "LOAD",
               "ADDRESSES", "WHY"}};
    for (const auto& s : report.at("services").items())
        for (const auto& e : s.at("endpoints").items())
            rows.push_back({s.text("name"),
                            e.text("datacenter"),
                            {e.text("application"), of_verdict(e.text("application"))},
                            {e.text("stateful"), of_verdict(e.text("stateful"))},
                            or_dash(e.text("role")),
                            lag(e),
                            percent(e) + (e.number("limit").value_or(1) < 1 ? " limited" : ""),
                            {use(e), of_use(e)},
                            joined(e.at("addresses").items()),
                            e.text("reason")});
    if (rows.size() == 1) return;
    c.terminal.line("");
    c.terminal.table(rows);
}

std::string since_last(const JsonValue& m, const JsonValue& report) {
    const auto last = m.at("last");
    if (last.is_null()) return "not looked at yet";
    const std::string facts = last.text("facts");
    return last.text("outcome") + " " + last.text("reason") +
           (last.text("detail").empty() ? "" : ": " + last.text("detail")) +
           (facts.empty() ? "" : " (" + facts + ")") + ", " + between(last.text("ended"), report.text("at")) +
           " ago";
}

void members(Context& c, const JsonValue& report, bool all) {
    Rows rows{{"TARGET", "CHECK", "DATACENTER", "VERDICT", "FOR", "LAST"}};
    for (const auto& m : report.at("members").items()) {
        const bool well =
            m.text("verdict") == "ready" && m.text("requirements") != "unready" && !m.flag("held");
        if (well && !all) continue;
        const std::string verdict = m.flag("held") ? "held" : m.text("verdict");
        rows.push_back({m.text("target"),
                        m.text("check"),
                        m.text("datacenter"),
                        {verdict, of_verdict(verdict)},
                        between(m.text("since"), report.text("at")),
                        since_last(m, report)});
    }
    if (rows.size() == 1) return;
    c.terminal.line("");
    c.terminal.table(rows);
}

void switches(Context& c, const JsonValue& report) {
    for (const auto& s : report.at("services").items()) {
        const auto w = s.at("switch");
        if (w.is_null()) continue;
        c.terminal.line("");
        c.terminal.line("switch " + w.text("id") + ": " + or_dash(w.text("from")) + " -> " + w.text("to") +
                            ", " + w.text("step") + " for " +
                            between(w.text("step_since"), report.text("at")) + ": " + w.text("reason"),
                        Colour::warn);
        if (!w.text("failure").empty()) c.terminal.line("  " + w.text("failure"), Colour::bad);
        if (w.text("step") == "awaiting approval")
            c.terminal.line("  to go on: fairwayctl approve " + w.text("id"));
    }
}

void faults(Context& c, const JsonValue& report) {
    for (const auto& s : report.at("services").items()) {
        const auto f = s.at("last_fault");
        if (f.is_null()) continue;
        c.terminal.line(s.text("name") + ": when " + f.text("datacenter") + " failed, " +
                        between(f.text("at"), report.text("at")) + " ago, the others were " +
                        (f.text("lag_ms").empty() ? "nobody knows how far" : f.text("lag_ms") + " ms") +
                        " behind it");
    }
}

void overrides(Context& c, const JsonValue& report) {
    Rows rows{{"OVERRIDE", "SERVICE", "DATACENTER", "BY", "ENDS IN", "REASON"}};
    for (const auto& o : report.at("overrides").items())
        rows.push_back({{o.text("kind"), Colour::warn},
                        or_dash(o.text("tag").empty() ? o.text("service") : "tag " + o.text("tag")),
                        or_dash(o.text("datacenter")),
                        o.text("operator"),
                        between(report.text("at"), o.text("expires")),
                        o.text("reason")});
    if (rows.size() == 1) return;
    c.terminal.line("");
    c.terminal.table(rows);
}

void show(Context& c, const JsonValue& report) {
    alarms(c, report);
    if (const auto d = report.at("drill"); d.flag("running"))
        c.terminal.line("DRILL: " + d.text("datacenter") + " is played lost, for another " +
                            between(report.text("at"), d.text("until")) + "; fairwayctl drill status | abort",
                        Colour::warn);
    if (report.flag("doubt"))
        c.terminal.line("this node believes that itself is cut off: silence is not believed", Colour::bad);
    services(c, report);
    datacenters(c, report);
    endpoints(c, report);
    members(c, report, c.flag("members"));
    switches(c, report);
    faults(c, report);
    overrides(c, report);
}

void print(Context& c, const JsonValue& report, const std::string& text) {
    if (!c.json) return show(c, report);
    c.terminal.document(c.flag("watch") ? text : report.pretty()); // watched, a line each
}

/// Shows what there is whenever something happens, and now and then, since shares and times go on by
/// themselves. Ends with the daemon, or when it is interrupted.
int watch(Context& c) {
    using Clock = std::chrono::steady_clock;
    constexpr Clock::duration regular = 5s, least = 250ms; // between two looks
    Clock::time_point shown{};
    bool news = true;
    int exit = ok;
    const std::string why = c.client.follow("/v1/events", [&](bool more) {
        news |= more;
        const auto now = Clock::now();
        if (now - shown < (news ? least : regular)) return true;
        const Answer answer = c.client.get("/v1/status");
        if (!answer.ok()) return exit = complain(c, answer), false;
        if (!c.json) c.terminal.begin_page();
        print(c, answer.body, answer.text);
        std::cout.flush();
        shown = now;
        news = false;
        return true;
    });
    if (!why.empty()) c.terminal.error("cannot follow fairwayd on " + c.client.place() + ": " + why);
    else if (exit == ok) c.terminal.error("fairwayd has ended");
    return exit == ok ? unreachable : exit;
}

int run(Context& c) {
    if (c.flag("watch")) return watch(c);
    JsonValue report;
    int exit = ok;
    if (!read_report(c, report, exit)) return exit;
    print(c, report, "");
    return ok;
}

}

Command status() {
    using enum Argument::Kind;
    return {"status",
            "What is answered, where and why; alarms, switches and overrides",
            {{flag, "members", "every target of every check, not only those that are not well"},
             {flag, "watch", "go on and show what changes as it happens"}},
            run};
}

} // namespace fairway::ctl
