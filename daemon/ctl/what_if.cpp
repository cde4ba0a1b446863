// what-if: where everything would go were datacenters lost; asked of the daemon, or on a configuration alone.
#include "daemon/what_if_words.hpp"

#include "config/load/load.hpp"
#include "daemon/ctl/command.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>

namespace fairway::ctl {

namespace {

using daemon::JsonValue;

std::string percent(double part) { return std::to_string(std::lround(100 * part)) + " %"; }

std::string number(const JsonValue& j, const char* key) {
    const auto value = j.number(key);
    if (!value) return "-";
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.6g", *value);
    return text.data();
}

std::string shares(const JsonValue& list) {
    std::string text;
    const auto all = list.items();
    for (const auto& s : all)
        text += (text.empty() ? "" : ", ") + s.text("datacenter") +
                (all.size() > 1 ? " " + percent(s.number("share").value_or(0)) : "");
    return text.empty() ? "-" : text;
}

Colour of_fate(const std::string& fate) {
    if (fate == "held" || fate == "nowhere") return Colour::bad;
    return fate == "stays" ? Colour::none : Colour::warn;
}

void show(Context& c, const JsonValue& answer) {
    std::vector<std::vector<Cell>> services{{"SERVICE", "IT", "NOW", "THEN", "WHY"}};
    for (const auto& s : answer.at("services").items())
        services.push_back({s.text("name"),
                            {s.text("fate"), of_fate(s.text("fate"))},
                            shares(s.at("before")),
                            shares(s.at("after")),
                            s.text("why")});
    c.terminal.table(services);
    c.terminal.line("");
    std::vector<std::vector<Cell>> sites{
        {"DATACENTER", "SERVICES", "THEN", "LOAD", "THEN", "CAPACITY", "USE"}};
    for (const auto& s : answer.at("datacenters").items()) {
        const auto use = s.number("use_after");
        const Colour colour = use && *use > 1 ? Colour::bad : Colour::none;
        sites.push_back({{s.text("name") + (s.flag("lost") ? " (lost)" : ""),
                          s.flag("lost") ? Colour::dim : Colour::none},
                         number(s, "services_before"),
                         number(s, "services_after"),
                         number(s, "load_before"),
                         number(s, "load_after"),
                         number(s, "capacity"),
                         {use ? percent(*use) : "-", colour}});
    }
    c.terminal.table(sites);
    for (const auto& w : answer.at("warnings").items()) c.terminal.line("WARNING " + w.text(), Colour::bad);
}

int tell(Context& c, const JsonValue& answer) {
    c.json ? c.terminal.document(answer.pretty()) : show(c, answer);
    return ok;
}

/// Everything in the file works but for what --down says.
int offline(Context& c, const daemon::WhatIfWords& words) {
    Diagnostics problems;
    const ModelPtr model = load::load(c.text("config"), problems);
    if (!model || problems.errors() > 0) {
        for (const auto& p : problems.all()) c.terminal.note(p.to_string());
        return bad_input;
    }
    const auto question = daemon::read_question(words, *model);
    if (const auto* wrong = std::get_if<std::string>(&question)) return c.terminal.error(*wrong), bad_input;
    using namespace std::chrono;
    Now now{Instant(1h), floor<milliseconds>(system_clock::now())};
    const auto& q = std::get<policies::WhatIfQuestion>(question);
    const auto engine = policies::assumed_well(model, q.down, now);
    now = {now.mono + 1min, now.wall + 1min};
    return tell(c, *JsonValue::parse(daemon::to_json(policies::what_if(engine, q, now))));
}

int run(Context& c) {
    const daemon::WhatIfWords words{c.text("lose"), c.text("down"), c.text("load")};
    if (!c.text("config").empty()) return offline(c, words);
    const Answer answer =
        c.client.get("/v1/what-if?lose=" + Client::escape(words.lose) +
                         "&down=" + Client::escape(words.down) + "&load=" + Client::escape(words.loads),
                     Client::reload);
    return answer.ok() ? tell(c, answer.body) : complain(c, answer);
}

}

Command what_if() {
    using enum Argument::Kind;
    return {"what-if",
            "Where everything would go were datacenters lost, and what that means for their load",
            {{list, "lose", "a datacenter; again for another one", true},
             {list, "down", "DATACENTER/SERVICE that is down already; again for another"},
             {list, "load", "DATACENTER=LOAD instead of what checks report; again for another"},
             {option, "config", "a configuration file instead of the daemon: all in it is assumed to work"}},
            run};
}

} // namespace fairway::ctl
