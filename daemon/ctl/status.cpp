// status: what is answered, where, why, and what somebody should know of.
#include "config/load/node.hpp"
#include "config/title.hpp"
#include "daemon/ctl/command.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <thread>

namespace fairway::ctl {

namespace {

using daemon::JsonValue;
using namespace std::chrono_literals;
using Rows = std::vector<std::vector<Cell>>;

Colour of_state(const std::string& state) {
    if (state == "serving") return Colour::good;
    return state == "undecided" || state == "awaiting failback" || state == "frozen" ? Colour::warn
                                                                                     : Colour::bad;
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

/// "shop.example.com, east: "; a datacenter that the alarm's own text begins with is not named again.
std::string place_of(const JsonValue& alarm) {
    std::string place = alarm.text("service");
    const std::string dc = alarm.text("datacenter");
    if (!dc.empty() && !alarm.text("text").starts_with(dc + " ")) place += (place.empty() ? "" : ", ") + dc;
    return place.empty() ? place : place + ": ";
}

void alarms(Context& c, const JsonValue& report) {
    for (const auto& a : report.at("alarms").items())
        c.terminal.line("ALARM " + a.text("severity") + ": " + place_of(a) + a.text("text") + " (" +
                            a.text("id") + ", for " + between(a.text("since"), report.text("at")) + ")",
                        a.text("severity") == "critical" ? Colour::bad : Colour::warn);
}

/// Is it what was asked for: the service, or the datacenter, or there was nothing said.
bool asked_for(const Context& c, const std::string& service, const std::string& datacenter) {
    const std::string said = c.text("name");
    if (said.empty() || said == datacenter) return true;
    const auto title = Title::parse(said);
    return !service.empty() && service == (title ? title->to_string() : said);
}

bool stands_in(const Context& c, const JsonValue& service) {
    const auto endpoints = service.at("endpoints").items();
    return asked_for(c, service.text("name"), "") || std::ranges::any_of(endpoints, [&](const JsonValue& e) {
               return asked_for(c, "", e.text("datacenter"));
           });
}

void services(Context& c, const JsonValue& report) {
    if (report.at("services").items().empty())
        return c.terminal.line(
            "no service is configured: write one under `services:` (fairway.yaml(5)), then "
            "fairwayctl reload");
    Rows rows{{"SERVICE", "STATE", "ACTIVE", "PREFERRED", "TTL", "SINCE", "WHY"}};
    for (const auto& s : report.at("services").items())
        if (stands_in(c, s))
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
        if (asked_for(c, "", d.text("name")))
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
            if (asked_for(c, s.text("name"), e.text("datacenter")))
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

/// One address may be looked at for many services, by many checks, each with a Host of its own.
std::string some_of(const std::vector<JsonValue>& services) {
    if (services.empty()) return "-";
    const std::size_t more = services.size() - 1;
    return services.front().text() + (more == 0 ? "" : " and " + std::to_string(more) + " more");
}

void members(Context& c, const JsonValue& report, bool all) {
    Rows rows{{"TARGET", "CHECK", "OF", "DATACENTER", "VERDICT", "FOR", "LAST"}};
    for (const auto& m : report.at("members").items()) {
        const bool well =
            m.text("verdict") == "ready" && m.text("requirements") != "unready" && !m.flag("held");
        const auto whose = m.at("services").items();
        const bool asked = asked_for(c, "", m.text("datacenter")) ||
                           std::ranges::any_of(whose, [&](auto& s) { return asked_for(c, s.text(), ""); });
        if ((well && !all) || !asked) continue;
        const std::string verdict = m.flag("held") ? "held" : m.text("verdict");
        rows.push_back({m.text("target"),
                        m.text("check"),
                        some_of(whose),
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
        if (w.is_null() || !stands_in(c, s)) continue;
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
        if (f.is_null() || !asked_for(c, s.text("name"), f.text("datacenter"))) continue;
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

/// What is wrong with the name that was said; empty: it is known, or none was said.
std::string unknown_name(const Context& c, const JsonValue& report) {
    std::vector<std::string> known;
    for (const auto& s : report.at("services").items()) known.push_back(s.text("name"));
    for (const auto& d : report.at("datacenters").items()) known.push_back(d.text("name"));
    if (std::ranges::any_of(known, [&](auto& name) { return asked_for(c, name, name); })) return {};
    return "there is no service or datacenter " +
           load::with_nearest(c.text("name"), std::vector<std::string_view>(known.begin(), known.end()));
}

/// The service, or the datacenter, that was asked for, as the report has it.
JsonValue part_of(const Context& c, const JsonValue& report) {
    for (const char* list : {"services", "datacenters"})
        for (const auto& one : report.at(list).items())
            if (asked_for(c, one.text("name"), one.text("name"))) return one;
    return report;
}

/// Shows what there is whenever something happens, and now and then, since shares and times go on by
/// themselves.
class Watch {
  public:
    explicit Watch(Context& c) : c_(c) {}

    /// Ends with the daemon, or when it is interrupted. An upgrade ends the stream too: the next process
    /// goes on, and so do we.
    int run() {
        std::string why;
        do {
            news_ = true;
            answer_ = {};
            why = c_.client.follow("/v1/events", [this](bool more) { return look(more); });
            std::this_thread::sleep_for(least);
        } while (shown_ != Clock::time_point{} && !wrong_ && Clock::now() - shown_ < regular + a_restart);
        if (wrong_) return bad_input;
        if (shown_ == Clock::time_point{} && !answer_.text.empty()) return complain(c_, answer_);
        c_.terminal.error(shown_ != Clock::time_point{}
                              ? "fairwayd has ended"
                              : "cannot follow fairwayd on " + c_.client.place() + ": " + why);
        return unreachable;
    }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr Clock::duration regular = 5s, least = 250ms; // between two looks
    static constexpr Clock::duration a_restart = 5s;              // a stop, a start, and its first report

    bool look(bool more) {
        news_ |= more;
        const auto now = Clock::now();
        if (now - looked_ < (news_ ? least : regular)) return true;
        answer_ = c_.client.get("/v1/status");
        if (!answer_.ok()) return false;
        if (const std::string why = unknown_name(c_, answer_.body);
            !why.empty() && !c_.text("name").empty()) {
            c_.terminal.error(why);
            wrong_ = true;
            return false;
        }
        if (!c_.json) c_.terminal.begin_page();
        print(c_, answer_.body, answer_.text);
        std::cout.flush();
        looked_ = shown_ = now;
        news_ = false;
        return true;
    }

    Context& c_;
    Clock::time_point looked_{}, shown_{};
    bool news_ = true, wrong_ = false;
    Answer answer_; ///< the latest
};

int run(Context& c) {
    if (c.flag("watch")) return Watch(c).run();
    JsonValue report;
    int exit = ok;
    if (!read_report(c, report, exit)) return exit;
    if (!c.text("name").empty()) {
        if (const std::string why = unknown_name(c, report); !why.empty())
            return c.terminal.error(why), bad_input;
        if (c.json) return c.terminal.document(part_of(c, report).pretty()), ok;
    }
    print(c, report, "");
    return ok;
}

}

Command status() {
    using enum Argument::Kind;
    return {"status",
            "What is answered, where and why; alarms, switches and overrides",
            {{positional, "name", "a service or a datacenter: of this one only"},
             {flag, "members", "every target of every check, not only those that are not well"},
             {flag, "watch", "go on and show what changes as it happens"}},
            run};
}

} // namespace fairway::ctl
