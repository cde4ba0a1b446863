// drill: a datacenter is played lost, as things are, for a while; the site goes on working.
#include "daemon/ctl/command.hpp"

#include <cmath>

namespace fairway::ctl {

namespace {

using daemon::JsonValue;

std::string after(const JsonValue& d, const char* key) {
    const auto ms = d.number(key);
    return ms ? std::to_string(std::lround(*ms)) + " ms" : "not yet";
}

void show(Context& c, const JsonValue& d, const std::string& at) {
    const bool running = d.flag("running");
    c.terminal.line(d.text("datacenter") + (running ? " is played lost" : " was played lost") + " by " +
                        d.text("operator") + " (" + d.text("reason") + ")" +
                        (d.flag("with_hooks") ? ", with its hooks" : ""),
                    running ? Colour::warn : Colour::none);
    if (running)
        c.terminal.line("  for " + between(d.text("since"), at) + ", and for another " +
                        between(at, d.text("until")));
    else
        c.terminal.line("  " + between(d.text("since"), d.text("until")) + " long, over: " + d.text("ended"));
    c.terminal.line("  seen after " + after(d, "seen_ms") + ", decided after " + after(d, "decided_ms") +
                    ", answered after " + after(d, "published_ms"));
    for (const auto& h : d.at("held").items()) c.terminal.line("  stays: " + h.text());
}

int status(Context& c) {
    JsonValue report;
    int exit = ok;
    if (!read_report(c, report, exit)) return exit;
    const JsonValue d = report.at("drill");
    if (c.json) return c.terminal.document(d.pretty()), ok;
    if (d.is_null()) c.terminal.line("no drill since the daemon was started");
    else show(c, d, report.text("at"));
    return ok;
}

int lose(Context& c) {
    if (c.text("datacenter").empty()) return c.terminal.error("lose what? a datacenter"), bad_input;
    return show_result(
        c, c.client.post("/v1/drill", daemon::json_object({{"datacenter", c.text("datacenter")},
                                                           {"for", c.text("for")},
                                                           {"reason", c.text("reason")},
                                                           {"with_hooks", c.flag("with-hooks")}})));
}

int run(Context& c) {
    const std::string what = c.text("what");
    if (what == "lose") return lose(c);
    if (what == "status") return status(c);
    if (what == "abort") return show_result(c, c.client.post("/v1/abort-drill", "{}"));
    c.terminal.error("lose, status or abort; not " + what);
    return bad_input;
}

}

Command drill() {
    using enum Argument::Kind;
    return {"drill",
            "Play a datacenter lost; ends by itself, and at once when anything real happens",
            {{positional, "what", "lose, status, or abort", true},
             {positional, "datacenter", "lose: which"},
             {option, "for", "how long: 10m, 1h (default 10m)"},
             {option, "reason", "why, for status and journal"},
             {flag, "with-hooks", "run the runbook too: the database is switched over in earnest"}},
            run};
}

} // namespace fairway::ctl
