// check-config: everything that is wrong with a configuration, and what taking it over would change.
#include "config/counted.hpp"
#include "config/load/load.hpp"
#include "config/load/schema.hpp"
#include "daemon/ctl/command.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <ranges>

namespace fairway::ctl {

namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& j) { return j.dump(2, ' ', false, Json::error_handler_t::replace); }

Json keys() {
    Json list = Json::array();
    for (const auto& k : load::keys())
        list.push_back({{"key", k.path},
                        {"takes", k.words.empty() ? load::describe(k.type) : k.words},
                        {"default", k.fallback.empty() ? Json(nullptr) : Json(k.fallback)},
                        {"least", k.least},
                        {"most", std::isfinite(k.most) ? Json(k.most) : Json(nullptr)},
                        {"meaning", k.doc},
                        {"required", k.required},
                        {"supported", k.supported}});
    return list;
}

Json json(const Diagnostics& problems) {
    Json list = Json::array();
    for (const auto& p : problems.all())
        list.push_back({{"severity", p.severity == Diagnostic::Severity::error ? "error" : "warning"},
                        {"file", p.place.file},
                        {"line", p.place.line},
                        {"column", p.place.column},
                        {"message", p.message}});
    return list;
}

Json json(const ModelPtr& model, const Diagnostics& problems) {
    const auto count = [&](auto part) {
        return model ? Json(std::ranges::distance(part(*model))) : Json(nullptr);
    };
    return {{"accepted", model != nullptr},
            {"services", count([](const Model& m) { // two halves are one
                 return m.services | std::views::filter([](auto& s) { return s.family != Family::v6; });
             })},
            {"datacenters", count([](const Model& m) { return std::span(m.datacenters); })},
            {"zones", count([](const Model& m) { return std::span(m.zones); })},
            {"problems", json(problems)}};
}

int list_keys(Context& c) {
    if (c.json) return c.terminal.document(text(keys())), ok;
    std::vector<std::vector<Cell>> rows{{"KEY", "TAKES", "DEFAULT", "MEANING"}};
    for (const auto& k : load::keys()) {
        const std::string takes = k.supported
                                      ? std::string(k.words.empty() ? load::describe(k.type) : k.words)
                                      : "not supported yet";
        rows.push_back({std::string(k.path),
                        {takes, k.supported ? Colour::none : Colour::dim},
                        k.fallback.empty() ? "-" : std::string(k.fallback),
                        std::string(k.doc)});
    }
    c.terminal.table(rows);
    return ok;
}

/// What the daemon says that a reload would change; null: it was not asked, or cannot be.
Json compared(Context& c) {
    if (c.flag("offline")) return nullptr;
    const auto file = std::filesystem::absolute(c.text("file")).lexically_normal().string();
    const Answer answer = c.client.post("/v1/compare", daemon::json_object({{"file", file}}), Client::reload);
    if (answer.ok()) return Json::parse(answer.text);
    if (!c.json)
        c.terminal.note(answer.reached
                            ? "not compared with what is running: " + answer.body.text("error")
                            : "not compared with what is running: no daemon on " + c.client.place());
    return nullptr;
}

std::string or_dash(const Json& j) { return j.is_string() ? j.get<std::string>() : "-"; }

Colour of_change(const std::string& change) {
    return change == "removed" ? Colour::bad : change == "added" ? Colour::good : Colour::warn;
}

/// At most so many rows: nobody reads more, and --json has all.
void table(Context& c, std::vector<std::vector<Cell>> rows) {
    constexpr std::size_t most = 100;
    if (rows.size() == 1) return;
    const std::size_t left = rows.size() > most + 1 ? rows.size() - most - 1 : 0;
    rows.resize(rows.size() - left);
    c.terminal.line("");
    c.terminal.table(rows);
    if (left > 0) c.terminal.note("... and " + std::to_string(left) + " more: --json has them");
}

void show_answers(Context& c, const Json& services) {
    std::vector<std::vector<Cell>> rows{{"SERVICE", "CLIENTS", "ANSWERED NOW", "THEN", "TTL", "WHY"}};
    for (const Json& s : services) {
        const auto before = s.at("ttl_before").get<unsigned>(), after = s.at("ttl_after").get<unsigned>();
        const std::string ttl = before == after || before == 0 || after == 0
                                    ? std::to_string(std::max(before, after))
                                    : std::to_string(before) + " -> " + std::to_string(after);
        const Json& preferred = s.at("preferred_after");
        const bool turns = after > 0 && before > 0 && s.at("preferred_before") != preferred;
        rows.push_back({s.at("service").get<std::string>(), or_dash(s.at("clients")), or_dash(s.at("before")),
                        or_dash(s.at("after")) + (turns ? ", preferred: " + or_dash(preferred) : ""), ttl,
                        s.at("why").get<std::string>()});
    }
    table(c, std::move(rows));
}

void show_difference(Context& c, const Json& d) {
    if (!d.at("loads")) {
        c.terminal.note("not compared with what is running: the daemon cannot load it");
        for (const Json& p : d.at("problems")) c.terminal.note("  " + p.get<std::string>());
        return;
    }
    std::vector<std::vector<Cell>> keys{{"CHANGE", "KEY", "RUNNING", "THEN"}},
        names{{"CHANGE", "RECORDS OF"}};
    for (const Json& k : d.at("keys")) {
        const auto change = k.at("change").get<std::string>();
        keys.push_back({{change, of_change(change)},
                        k.at("key").get<std::string>(),
                        or_dash(k.at("before")),
                        or_dash(k.at("after"))});
    }
    for (const Json& n : d.at("names")) {
        const auto change = n.at("change").get<std::string>();
        names.push_back({{change, of_change(change)}, n.at("name").get<std::string>()});
    }
    if (keys.size() + names.size() + d.at("services").size() == 2)
        return c.terminal.line("nothing differs from what is running");
    table(c, std::move(keys));
    table(c, std::move(names));
    show_answers(c, d.at("services"));
    c.terminal.line("");
    c.terminal.line("services answered as now: " + std::to_string(d.at("services_same").get<std::size_t>()));
    if (!d.at("assumed").empty())
        c.terminal.note(
            "taken to be well, because nobody looks at them yet: " + std::to_string(d.at("assumed").size()) +
            ", the first is " + d.at("assumed")[0].get<std::string>());
    if (d.at("restart").is_string())
        c.terminal.line("a reload is refused: a change of " + or_dash(d.at("restart")) + " needs a restart",
                        Colour::bad);
    if (d.at("loses").is_string())
        c.terminal.line("a reload is refused without --force: " + or_dash(d.at("loses")), Colour::bad);
}

int run(Context& c) {
    if (c.flag("keys")) return list_keys(c);
    if (c.text("file").empty()) {
        c.terminal.error("check-config needs a file, or --keys");
        return bad_input;
    }
    Diagnostics problems;
    const ModelPtr model = load::load(c.text("file"), problems);
    const Json running = model ? compared(c) : Json(nullptr);
    if (c.json) {
        Json document = json(model, problems);
        document["running"] = running;
        return c.terminal.document(text(document)), model ? ok : bad_input;
    }
    for (const auto& p : problems.all()) c.terminal.note(p.to_string());
    if (!model) return bad_input;
    c.terminal.line(c.text("file") + ": " + counted(model->services.size(), "service") + " in " +
                        counted(model->datacenters.size(), "datacenter") + ", " +
                        counted(model->zones.size(), "zone"),
                    Colour::good);
    if (!running.is_null()) show_difference(c, running);
    return ok;
}

}

Command check_config() {
    using enum Argument::Kind;
    return {"check-config",
            "Everything that is wrong with a configuration, and what it would change of what is running",
            {{positional, "file", "the configuration"},
             {flag, "offline", "do not ask the daemon what would change"},
             {flag, "keys", "list every key instead"}},
            run};
}

} // namespace fairway::ctl
