// Waiting for a switch, with a line on stderr for each step.
#include "config/title.hpp"
#include "daemon/ctl/command.hpp"

#include <chrono>
#include <thread>

namespace fairway::ctl {

namespace {

using namespace std::chrono_literals;

constexpr auto pause =
    300ms; // three looks a second: a step is shown as it happens, the daemon hardly notices
constexpr auto longest = 15min; // beyond it a person should look; the switch itself goes on

daemon::JsonValue find(const daemon::JsonValue& report, const std::string& said) {
    const auto name = Title::parse(said); // as the daemon writes it
    const std::string service = name ? name->to_string() : said;
    for (const auto& s : report.at("services").items())
        if (s.text("name") == service) return s;
    return {};
}

/// Where the service is to be in the end: as it was said, else as the switch said while it ran, else (it was
/// over before the first look) where the service is preferred.
std::string destination(const daemon::JsonValue& service, const std::string& said, const std::string& seen) {
    if (!said.empty()) return said;
    return seen.empty() ? service.text("preferred") : seen;
}

int ended(Context& c, const daemon::JsonValue& service, const std::string& to) {
    const std::string active = service.text("active");
    const bool there = active == to;
    if (!c.json)
        c.terminal.line(service.text("name") + " is answered by " + (active.empty() ? "nobody" : active),
                        there ? Colour::good : Colour::bad);
    if (!there)
        c.terminal.error("the switch to " + to + " has ended without moving it: " + service.text("reason"));
    return there ? ok : refused;
}

int needs_person(Context& c, const daemon::JsonValue& running) {
    const std::string why = running.text("failure");
    c.terminal.error("the switch waits for approval" + (why.empty() ? "" : ": " + why));
    c.terminal.error("to go on: fairwayctl approve " + running.text("id"));
    return waiting;
}

}

int follow_switch(Context& c, const std::string& service, const std::string& to) {
    std::string shown, seen;
    const auto until = std::chrono::steady_clock::now() + longest;
    while (std::chrono::steady_clock::now() < until) {
        daemon::JsonValue report;
        int exit = ok;
        if (!read_report(c, report, exit)) return exit;
        const auto now = find(report, service);
        const auto running = now.at("switch");
        if (running.is_null()) return ended(c, now, destination(now, to, seen));
        seen = running.text("to");
        const std::string step = running.text("step");
        if (step == "awaiting approval") return needs_person(c, running);
        if (step != shown) c.terminal.note(running.text("from") + " -> " + seen + ": " + step);
        shown = step;
        std::this_thread::sleep_for(pause);
    }
    c.terminal.error("the switch has not ended within 15 minutes; it goes on (fairwayctl status)");
    return waiting;
}

} // namespace fairway::ctl
