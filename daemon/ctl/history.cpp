// history: what happened, who did what and what came of it, from the daemon's journal.
#include "config/load/node.hpp"
#include "config/title.hpp"
#include "daemon/ctl/command.hpp"

#include <algorithm>
#include <charconv>

namespace fairway::ctl {

namespace {

using daemon::JsonValue;

constexpr int usual = 50;       // fits a scrolled terminal
constexpr int page = 1000;      // what the daemon gives at once at most
constexpr int most = 1'000'000; // more than the journal holds

/// Newest first, as the daemon says them.
struct Found {
    std::vector<JsonValue> entries;
    bool more = false; ///< there are older ones
};

std::string query(const Context& c) {
    std::string q;
    for (const char* key : {"since", "until", "service", "datacenter", "kind"})
        if (!c.text(key).empty()) q += "&" + std::string(key) + "=" + Client::escape(c.text(key));
    return q;
}

/// Reads page after page; false: it has complained.
bool read(Context& c, std::size_t limit, Found& found, int& exit) {
    std::string before;
    do {
        const auto now = std::min<std::size_t>(limit - found.entries.size(), page);
        const Answer answer = c.client.get("/v1/history?limit=" + std::to_string(now) + query(c) + before);
        if (!answer.ok()) return exit = complain(c, answer), false;
        for (auto& e : answer.body.at("entries").items()) found.entries.push_back(std::move(e));
        found.more = !answer.body.at("next").is_null();
        before = "&before=" + answer.body.text("next");
    } while (found.more && found.entries.size() < limit);
    return true;
}

std::string or_dash(const std::string& text) { return text.empty() ? "-" : text; }

std::string arrow(const JsonValue& record) {
    const std::string from = record.text("from"), to = record.text("to");
    return from.empty() && to.empty() ? "" : or_dash(from) + " -> " + or_dash(to) + ": ";
}

/// What it was about, in a sentence.
std::string story(const JsonValue& e) {
    const JsonValue record = e.at("record"), result = e.at("result");
    if (result.is_null()) return arrow(record) + record.text("reason");
    if (e.text("kind") == "hook")
        return arrow(record) + (result.flag("ok") ? "succeeded" : "failed: " + result.text("detail"));
    const std::string scope = record.text("scope");
    const std::string why = record.text("reason");
    return (scope.empty() ? "" : scope + ": ") + (result.flag("accepted") ? "" : "refused: ") +
           result.text("message") + (why.empty() ? "" : " (" + why + ")");
}

Colour colour(const JsonValue& e) {
    const JsonValue result = e.at("result");
    if (!result.is_null()) return result.flag("accepted") || result.flag("ok") ? Colour::none : Colour::bad;
    const std::string severity = e.at("record").text("severity");
    return severity == "critical" ? Colour::bad : severity == "warning" ? Colour::warn : Colour::none;
}

std::string who(const JsonValue& e) {
    const std::string name = e.text("operator"), from = e.text("from");
    return or_dash(name.empty() || from.empty() ? name + from : name + ", " + from);
}

void evidence(Context& c, const JsonValue& e) {
    for (const char* part : {"record", "result"})
        for (const char* list : {"evidence", "details"})
            for (const auto& line : e.at(part).at(list).items())
                c.terminal.line("    " + line.text(), Colour::dim);
}

/// The newest last, where the eye is.
void show(Context& c, const Found& found) {
    std::vector<std::vector<Cell>> rows{{"TIME", "WHAT", "SERVICE", "DATACENTER", "BY", "WHY"}};
    for (auto e = found.entries.rbegin(); e != found.entries.rend(); ++e)
        rows.push_back({e->text("at"),
                        {e->text("what"), colour(*e)},
                        or_dash(e->text("service")),
                        or_dash(e->text("datacenter")),
                        who(*e),
                        story(*e)});
    if (!c.flag("evidence")) return c.terminal.table(rows);
    for (auto e = found.entries.rbegin(); e != found.entries.rend(); ++e) {
        c.terminal.line(e->text("at") + "  " + e->text("what") + "  " + or_dash(e->text("service")) + "  " +
                            or_dash(e->text("datacenter")) + "  " + who(*e) + "  " + story(*e),
                        colour(*e));
        evidence(c, *e);
    }
}

void document(const Context& c, const Found& found) {
    std::string all;
    for (const auto& e : found.entries) all += (all.empty() ? "" : ",\n") + e.pretty();
    c.terminal.document("{\"entries\": [" + all + "],\n\"more\": " + (found.more ? "true" : "false") + "}");
}

/// One that the configuration no longer has may well be in the journal: no more than a hint.
std::string unknown_service(Context& c) {
    const auto title = Title::parse(c.text("service"));
    const Answer answer = c.client.get("/v1/status");
    if (c.text("service").empty() || !title || !answer.ok()) return {};
    std::vector<std::string> known;
    for (const auto& s : answer.body.at("services").items()) known.push_back(s.text("name"));
    if (std::ranges::find(known, title->to_string()) != known.end()) return {};
    return "; there is no service " +
           load::with_nearest(title->to_string(), std::vector<std::string_view>(known.begin(), known.end()));
}

int run(Context& c) {
    int limit = usual;
    if (const std::string said = c.text("limit"); !said.empty()) {
        const auto [end, error] = std::from_chars(said.data(), said.data() + said.size(), limit);
        if (error != std::errc{} || end != said.data() + said.size() || limit < 1 || limit > most) {
            c.terminal.error("--limit must be a number from 1 to " + std::to_string(most));
            return bad_input;
        }
    }
    Found found;
    int exit = ok;
    if (!read(c, static_cast<std::size_t>(limit), found, exit)) return exit;
    if (c.json) return document(c, found), ok;
    show(c, found);
    if (found.entries.empty()) c.terminal.note("nothing in the journal matches" + unknown_service(c));
    else if (found.more) c.terminal.note("there is more before that: --limit, --until");
    return ok;
}

}

Command history() {
    using enum Argument::Kind;
    return {"history",
            "What happened, who did what, and what came of it",
            {{option, "since", "2h ago, or a time: 2026-11-20T07:00:00Z"},
             {option, "until", "likewise"},
             {option, "service", "of this one only"},
             {option, "datacenter", "of this one only"},
             {option, "kind", "transition, command, hook or reload; or one message, such as member-down"},
             {option, "limit", "the newest so many (50)"},
             {flag, "evidence", "with what it rests on, line by line"}},
            run};
}

} // namespace fairway::ctl
