#include "daemon/json_value.hpp"
#include "daemon/page/status.hpp"
#include "daemon/state_words.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace fairway::daemon::page {

using namespace policies;

namespace {

WallTime wall(const Facts& f, Instant t) { return f.report.at.wall_at(t); }

std::string alarms(const Facts& f) {
    std::string items;
    auto all = f.report.alarms;
    std::ranges::stable_sort(all, std::greater<>(), &Alarm::severity);
    for (const auto& a : all) {
        const std::string where = link("service", a.service) +
                                  (a.service.empty() || a.datacenter.empty() ? "" : " in ") +
                                  link("datacenter", a.datacenter);
        items += "<li class=\"" + std::string(to_string(a.severity)) + "\"><strong>" +
                 std::string(to_string(a.severity)) + ":</strong> " + (where.empty() ? "" : where + ": ") +
                 escape(a.text) + " <small>" + ago(wall(f, a.since), f.report.at.wall) + "</small></li>";
    }
    if (f.report.doubt)
        items +=
            "<li class=\"critical\">This node believes that itself is cut off: silence is not believed.</li>";
    return "<div id=\"alarms\" data-live>" +
           (items.empty() ? "<p class=\"well\">No alarm is raised.</p>"
                          : "<ul class=\"alarms\" aria-label=\"Alarms\">" + items + "</ul>") +
           "</div>\n";
}

std::string tiles(const Facts& f) {
    const auto& services = f.report.services;
    const auto well = std::ranges::count_if(services, [](const auto& s) { return mood_of(s) == Mood::good; });
    const auto last =
        std::ranges::count_if(services, [](const auto& s) { return s.survives == 0 && s.designed > 0; });
    const auto switches =
        std::ranges::count_if(services, [](const auto& s) { return s.running.has_value(); });
    const auto tile = [](const std::string& what, const std::string& number) {
        return "<div><dt>" + what + "</dt><dd>" + number + "</dd></div>";
    };
    return "<dl class=\"tiles\" id=\"tiles\" data-live>" +
           tile("services well", std::to_string(well) + " of " + std::to_string(services.size())) +
           tile("without redundancy", std::to_string(last)) +
           tile("switches under way", std::to_string(switches)) +
           tile("overrides", std::to_string(f.report.overrides.size())) + "</dl>\n";
}

std::string cell(const ServiceReport& s, const EndpointReport& e) {
    std::string role;
    if (s.active == e.datacenter) role = s.preferred == e.datacenter ? "active, preferred" : "active";
    else if (s.preferred == e.datacenter) role = "preferred";
    if (e.role)
        role += (role.empty() ? "" : ", ") + std::string(*e.role == Role::primary ? "primary" : "standby");
    return state(mood_of(e), e.degraded && e.fit ? "degraded" : endpoint_state(e)) + share(e.share) +
           (role.empty() ? "" : "<span class=\"role\">" + role + "</span>");
}

std::vector<std::string> row(const Facts& f, const ServiceReport& s, const std::vector<std::string>& sites) {
    std::vector<std::string> cells{link("service", s.name), state(mood_of(s), s.state) + "<small>" +
                                                                ago(wall(f, s.since), f.report.at.wall) +
                                                                "</small>"};
    for (const auto& site : sites) {
        const auto e = std::ranges::find(s.endpoints, site, &EndpointReport::datacenter);
        cells.push_back(e == s.endpoints.end() ? "<span class=\"note\">-</span>" : cell(s, *e));
    }
    cells.push_back(escape(s.reason));
    cells.push_back(std::to_string(s.survives) + "&nbsp;of&nbsp;" + std::to_string(s.designed));
    cells.push_back(std::to_string(s.ttl) + "&nbsp;s");
    return cells;
}

/// What is not well comes first.
std::vector<const ServiceReport*> listed(const Report& r, const std::string& find) {
    std::vector<const ServiceReport*> all;
    for (const auto& s : r.services)
        if (s.name.find(find) != std::string::npos) all.push_back(&s);
    std::ranges::stable_sort(all, {}, [](const ServiceReport* s) {
        return std::pair(mood_of(*s) == Mood::good, s->survives >= s->designed);
    });
    return all;
}

std::string matrix(const Facts& f, const Listing& l) {
    std::set<std::string> names;
    for (const auto& s : f.report.services)
        for (const auto& e : s.endpoints) names.insert(e.datacenter);
    const std::vector<std::string> sites(names.begin(), names.end());
    const auto all = listed(f.report, l.find);
    const std::size_t begin = std::min((l.page - 1) * Listing::size, all.size()),
                      end = std::min(begin + Listing::size, all.size());
    Table t{"Services and datacenters", {"Service", "State"}, {}};
    for (const auto& site : sites) t.head.push_back(link("datacenter", site));
    for (const char* h : {"Why", "May lose", "TTL"}) t.head.emplace_back(h);
    for (std::size_t i = begin; i < end; ++i) t.rows.push_back(row(f, *all[i], sites));
    for (auto& r : t.rows) r[sites.size() + 2] = "<span class=\"why\">" + r[sites.size() + 2] + "</span>";
    std::string pages;
    const std::string at = "/?find=" + escape(l.find) + "&amp;page=";
    if (l.page > 1) pages += "<a href=\"" + at + std::to_string(l.page - 1) + "\">those before</a> ";
    if (end < all.size()) pages += "<a href=\"" + at + std::to_string(l.page + 1) + "\">those after</a>";
    return section("services", "Services",
                   t.to_string(f.report.services.empty()
                                   ? "No service is configured: write one under services: in the "
                                     "configuration, then fairwayctl reload."
                                   : "No service has that in its name.") +
                       (pages.empty() ? ""
                                      : "<p>" + std::to_string(begin + 1) + " to " + std::to_string(end) +
                                            " of " + std::to_string(all.size()) + ". " + pages + "</p>"));
}

/// Only where there are so many services that one has to be looked for.
std::string search(const Facts& f, const Listing& l) {
    if (f.report.services.size() <= Listing::size / 5) return "";
    return "<form method=\"get\" action=\"/\" role=\"search\"><label>Services whose name has<input "
           "name=\"find\" value=\"" +
           escape(l.find) + "\"></label><button>Find</button></form>";
}

std::string switches(const Facts& f) {
    Table t{"Switches", {"Service", "From", "To", "Step", "Since", "Why"}, {}};
    for (const auto& s : f.report.services)
        if (const auto& w = s.running)
            t.rows.push_back({link("service", s.name), link("datacenter", w->from), link("datacenter", w->to),
                              state(w->failure.empty() ? Mood::warn : Mood::bad, to_string(w->step)),
                              ago(w->step_since, f.report.at.wall),
                              escape(w->reason) +
                                  (w->failure.empty() ? "" : "<small>" + escape(w->failure) + "</small>") +
                                  (w->step == SwitchStep::awaiting_approval
                                       ? "<small>fairwayctl approve " + escape(w->id) + "</small>"
                                       : "")});
    return t.rows.empty() ? "<div id=\"switches\" data-live></div>"
                          : section("switches", "Switches", t.to_string(""));
}

std::string overrides(const Facts& f) {
    Table t{"Overrides", {"What", "Of", "By", "Ends", "Why"}, {}};
    for (const auto& o : f.report.overrides)
        t.rows.push_back({state(Mood::warn, to_string(o.kind)), escape(o.scope.to_string()),
                          escape(o.operator_name), ago(o.expires, f.report.at.wall), escape(o.reason)});
    return t.rows.empty() ? "<div id=\"overrides\" data-live></div>"
                          : section("overrides", "Overrides", t.to_string(""));
}

// ---- the timeline

std::string who(const JournalEntry& e) { return e.who.empty() ? e.from : e.who; }

/// "shop: failover east to west" and why.
std::string told(const JournalLine& l) {
    const JournalEntry& e = l.entry;
    const auto record = JsonValue::parse(e.record).value_or(JsonValue()),
               result = JsonValue::parse(e.result).value_or(JsonValue());
    std::string words = e.what;
    std::ranges::replace(words, '-', ' ');
    std::string text = "<strong>" + escape(words) + "</strong> " + link("service", e.service) +
                       (e.service.empty() || e.datacenter.empty() ? "" : " in ") +
                       link("datacenter", e.datacenter);
    if (e.kind == JournalEntry::Kind::transition) {
        if (e.service.empty() && !record.text("subject").empty())
            text += ": " + escape(record.text("subject"));
        const std::string from = record.text("from"), to = record.text("to");
        if (!from.empty() || !to.empty())
            text += ", " + escape(from.empty() ? "-" : from) + " → " + escape(to.empty() ? "-" : to);
        return text + "<br><span class=\"note\">" + escape(record.text("reason")) + "</span>";
    }
    const bool ok = result.flag("accepted") || result.flag("ok");
    const std::string said =
        e.kind == JournalEntry::Kind::hook ? result.text("detail") : result.text("message");
    return text + (who(e).empty() ? "" : " by " + escape(who(e))) +
           (ok ? "" : ": <strong>refused or failed</strong>") + "<br><span class=\"note\">" + escape(said) +
           "</span>";
}

std::string kind_of(const JournalEntry& e) {
    if (e.kind != JournalEntry::Kind::transition) return "done";
    return JsonValue::parse(e.record).value_or(JsonValue()).text("severity");
}

}

Mood mood_of(const ServiceReport& s) {
    if (s.state == "serving") return Mood::good;
    if (s.state == "awaiting failback") return Mood::good; // it answers, and where it does is somebody's choice
    return s.state == "undecided" || s.state == "frozen" ? Mood::warn : Mood::bad;
}

Mood mood_of(const EndpointReport& e) {
    if (e.excluded) return Mood::idle;
    if (e.braked || e.suppressed || (e.fit && e.degraded)) return Mood::warn;
    if (e.fit) return Mood::good;
    return endpoint_state(e) == "undecided" ? Mood::idle : Mood::bad;
}

Mood mood_of(const MemberReport& m) {
    if (m.held) return Mood::warn;
    if (m.verdict == Readiness::undecided) return Mood::idle;
    if (m.verdict == Readiness::unready) return Mood::bad;
    return m.requirements == Readiness::unready ? Mood::warn : Mood::good;
}

std::string frame(const Facts& f, std::string_view title, const std::string& main) {
    return document({std::string(title), f.node, f.report.at.wall, f.report.generation, f.stale}, main);
}

std::string moments(const Facts& f, std::string_view title) {
    std::string items;
    for (const auto& l : f.history) {
        const std::string stamp = to_string(l.entry.at);
        items += "<li class=\"" + escape(kind_of(l.entry)) + "\"><time datetime=\"" + stamp + "\">" +
                 stamp.substr(0, 19).replace(10, 1, " ") + "</time><p>" + told(l) + "</p></li>";
    }
    const std::string none = f.history_problem.empty() ? "Nothing has happened." : escape(f.history_problem);
    return section("timeline", title,
                   items.empty() ? "<p class=\"note\">" + none + "</p>"
                                 : "<ol class=\"timeline\">" + items + "</ol>");
}

std::string overview(const Facts& f, const Listing& l) {
    return frame(f, "Overview",
                 "<h1 class=\"unseen\">Overview</h1>" + alarms(f) + tiles(f) + switches(f) + search(f, l) +
                     matrix(f, l) + overrides(f) + moments(f, "What happened"));
}

std::string timeline(const Facts& f, const std::string& older) {
    return frame(
        f, "Timeline",
        "<h1>Timeline</h1><p class=\"lead\">Times are UTC. <code>fairwayctl history</code> has the evidence, "
        "too.</p>" +
            moments(f, "What happened") +
            (older.empty() ? "" : "<p><a href=\"" + escape(older) + "\">What happened before</a></p>"));
}

std::string not_found(const Facts& f, const std::string& what) {
    return frame(f, "Not found",
                 "<h1>Not found</h1><p class=\"lead\">" + escape(what) +
                     "</p><p><a href=\"/\">Overview</a></p>");
}

} // namespace fairway::daemon::page
