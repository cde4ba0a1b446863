// The pages of one service and of one datacenter.
#include "config/counted.hpp"
#include "daemon/page/status.hpp"
#include "daemon/state_words.hpp"

#include <algorithm>
#include <cmath>

namespace fairway::daemon::page {

using namespace policies;

namespace {

std::string or_dash(const std::string& html) { return html.empty() ? "-" : html; }

std::string addresses(const std::vector<IpAddress>& all) {
    std::string text;
    for (const auto& a : all) text += (text.empty() ? "" : ", ") + a.to_string();
    return or_dash(text);
}

std::string fact(const char* what, const std::string& html) {
    return std::string("<div><dt>") + what + "</dt><dd>" + or_dash(html) + "</dd></div>";
}

std::string facts(const Facts& f, const ServiceReport& s) {
    std::string all =
        fact("Policy", escape(s.policy)) + fact("Active", link("datacenter", s.active)) +
        fact("Preferred", link("datacenter", s.preferred)) + fact("TTL", std::to_string(s.ttl) + " s") +
        fact("May lose", std::to_string(s.survives) + " of " + counted(s.designed, "failure domain")) +
        fact("Since", ago(f.report.at.wall_at(s.since), f.report.at.wall));
    if (s.followed)
        all += fact("Follows the primary in",
                    link("datacenter", s.followed->datacenter) +
                        (s.followed->epoch ? ", epoch " + std::to_string(*s.followed->epoch) : ""));
    if (s.running)
        all +=
            fact("Switch", link("datacenter", s.running->from) + " → " + link("datacenter", s.running->to) +
                               ", " + escape(to_string(s.running->step)));
    if (!s.missed.empty()) all += fact("Objectives that could not be kept", escape(s.missed));
    return section("facts", "Now", "<dl class=\"facts\">" + all + "</dl>");
}

std::string tier(Readiness r) {
    return state(r == Readiness::ready     ? Mood::good
                 : r == Readiness::unready ? Mood::bad
                                           : Mood::idle,
                 to_string(r));
}

std::string sites(const Facts& f, const ServiceReport& s) {
    Table t{"Datacenters of " + s.name,
            {"Datacenter", "State", "Share", "Application", "Stateful", "Role", "Lag", "Addresses", "Why"},
            {}};
    for (const auto& e : s.endpoints)
        t.rows.push_back({link("datacenter", e.datacenter),
                          state(mood_of(e), endpoint_state(e)) + "<small>" +
                              ago(f.report.at.wall_at(e.since), f.report.at.wall) + "</small>",
                          share(e.share), tier(e.application), tier(e.stateful),
                          !e.role
                              ? "-"
                              : std::string(*e.role == Role::primary ? "primary" : "standby") +
                                    (e.epoch ? "<small>epoch " + std::to_string(*e.epoch) + "</small>" : ""),
                          e.lag ? brief(*e.lag) : "-", addresses(e.addresses),
                          "<span class=\"why\">" + escape(e.reason) + "</span>"});
    return section("sites", "Datacenters", t.to_string("It has no endpoint."));
}

/// One address may be looked at for several services, each by a name of its own.
std::string whose(const MemberReport& m) {
    if (m.services.empty()) return "";
    const std::size_t more = m.services.size() - 1;
    return "<small>of " + link("service", m.services.front()) +
           (more == 0 ? "" : " and " + std::to_string(more) + " more") + "</small>";
}

std::vector<std::string> check_row(const Facts& f, const MemberReport& m) {
    std::string last = "not looked at yet", took = "-";
    if (m.last) {
        last = escape(to_string(m.last->outcome)) + " " + escape(to_string(m.last->reason)) +
               (m.last->detail.empty() ? "" : ": " + escape(m.last->detail));
        if (const auto known = m.last->facts.to_string(); !known.empty())
            last += "<small>" + escape(known) + "</small>";
        took = brief(m.last->ended - m.last->begun);
    }
    return {escape(m.target) + "<small class=\"note\"> " + escape(m.check) + " (" + escape(m.kind) +
                ")</small>" + whose(m),
            link("datacenter", m.datacenter),
            state(mood_of(m), member_state(m)) + "<small>" +
                ago(f.report.at.wall_at(m.since), f.report.at.wall) + "</small>",
            took, "<span class=\"why\">" + last + "</span>"};
}

template<class Is> std::string checks(const Facts& f, const std::string& of, Is is) {
    Table t{"Checks of " + of, {"Target", "Datacenter", "State", "Latency", "Last look"}, {}};
    constexpr std::size_t most = 500; // rows that a browser shows at once without a pause
    std::vector<const MemberReport*> found;
    for (const auto& m : f.report.members)
        if (is(m)) found.push_back(&m);
    std::ranges::stable_sort(found, {}, [](const MemberReport* m) { return mood_of(*m) == Mood::good; });
    for (std::size_t i = 0; i < std::min(most, found.size()); ++i) t.rows.push_back(check_row(f, *found[i]));
    const std::string more =
        found.size() <= most
            ? ""
            : "<p class=\"note\">and " + std::to_string(found.size() - most) + " more that are well</p>";
    return section("checks", "Checks", t.to_string("Nothing is checked.") + more);
}

std::string percent(double p) { return std::to_string(std::lround(100 * p)) + "&nbsp;%"; }

std::string explanation(const Explanation& e) {
    std::string answers;
    for (const auto& o : e.answer)
        answers += "<li>" + percent(o.probability) + " " + link("datacenter", o.datacenter) + ": " +
                   (o.cname ? "CNAME " + escape(o.cname->to_string()) : addresses(o.addresses)) + "</li>";
    Table t{"Why " + e.client + " gets this answer", {"Stage", "Datacenter", "Verdict", "Why"}, {}};
    for (const auto& l : e.lines)
        t.rows.push_back({escape(l.stage), or_dash(escape(l.subject)),
                          state(l.verdict == "chosen"    ? Mood::good
                                : l.verdict == "dropped" ? Mood::warn
                                                         : Mood::idle,
                                l.verdict),
                          "<span class=\"why\">" + escape(l.reason) + "</span>"});
    return "<p><strong>" + escape(e.client) + "</strong> is answered, with a TTL of " +
           std::to_string(e.ttl) + " s:</p><ul>" + (answers.empty() ? "<li>no address</li>" : answers) +
           "</ul>" + t.to_string("");
}

/// Not live: what was typed stays.
std::string explain(const ServiceReport& s, const Explained& e) {
    std::string told;
    if (!e.problem.empty()) told = "<p role=\"alert\">" + escape(e.problem) + "</p>";
    else if (e.explanation) told = explanation(*e.explanation);
    return "<section aria-labelledby=\"explain-title\"><h2 id=\"explain-title\">What is a client told, and "
           "why?</h2>"
           "<form method=\"get\" action=\"#explain-title\"><label>Address of the client<input "
           "name=\"client\" inputmode=\"text\" "
           "autocomplete=\"off\" spellcheck=\"false\" placeholder=\"192.0.2.1\" required value=\"" +
           escape(e.typed) + "\"></label><button>Explain " + escape(s.name) + "</button></form>" + told +
           "</section>\n";
}

}

std::string service(const Facts& f, const ServiceReport& s, const std::set<MemberId>& members,
                    const Explained& explained) {
    return frame(f, s.name,
                 "<div id=\"title\" data-live><h1>" + escape(s.name) + " " + state(mood_of(s), s.state) +
                     "</h1><p class=\"lead\">" + escape(s.reason) + "</p></div>" + facts(f, s) + sites(f, s) +
                     checks(f, s.name, [&](const MemberReport& m) { return members.contains(m.id); }) +
                     explain(s, explained) + moments(f, "What happened to it"));
}

std::string datacenter(const Facts& f, const std::string& name) {
    Table t{
        "Services in " + name, {"Service", "State here", "Share", "Role", "Service as a whole", "Why"}, {}};
    for (const auto& s : f.report.services)
        for (const auto& e : s.endpoints)
            if (e.datacenter == name)
                t.rows.push_back({link("service", s.name),
                                  state(mood_of(e), endpoint_state(e)) + "<small>" +
                                      ago(f.report.at.wall_at(e.since), f.report.at.wall) + "</small>",
                                  share(e.share),
                                  s.active == name      ? "active"
                                  : s.preferred == name ? "preferred"
                                                        : "-",
                                  state(mood_of(s), s.state),
                                  "<span class=\"why\">" + escape(e.reason) + "</span>"});
    const auto fit = std::ranges::count_if(f.report.services, [&](const auto& s) {
        return std::ranges::any_of(s.endpoints, [&](const auto& e) { return e.datacenter == name && e.fit; });
    });
    return frame(f, name,
                 "<div id=\"title\" data-live><h1>" + escape(name) + "</h1><p class=\"lead\">" +
                     "Fit here: " + std::to_string(fit) + " of " + counted(t.rows.size(), "service") +
                     "</p></div>" +
                     section("services", "Services", t.to_string("No service has an endpoint here.")) +
                     checks(f, name, [&](const MemberReport& m) { return m.datacenter == name; }) +
                     moments(f, "What happened here"));
}

} // namespace fairway::daemon::page
