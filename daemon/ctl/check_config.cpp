// check-config: everything that is wrong with a configuration, without a daemon.
#include "config/counted.hpp"
#include "config/load/load.hpp"
#include "config/load/schema.hpp"
#include "daemon/ctl/command.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
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

int run(Context& c) {
    if (c.flag("keys")) return list_keys(c);
    if (c.text("file").empty()) {
        c.terminal.error("check-config needs a file, or --keys");
        return bad_input;
    }
    Diagnostics problems;
    const ModelPtr model = load::load(c.text("file"), problems);
    if (c.json) return c.terminal.document(text(json(model, problems))), model ? ok : bad_input;
    for (const auto& p : problems.all()) c.terminal.note(p.to_string());
    if (!model) return bad_input;
    c.terminal.line(c.text("file") + ": " + counted(model->services.size(), "service") + " in " +
                        counted(model->datacenters.size(), "datacenter") + ", " +
                        counted(model->zones.size(), "zone"),
                    Colour::good);
    return ok;
}

}

Command check_config() {
    using enum Argument::Kind;
    return {"check-config",
            "Everything that is wrong with a configuration; needs no daemon",
            {{positional, "file", "the configuration"}, {flag, "keys", "list every key instead"}},
            run};
}

} // namespace fairway::ctl
