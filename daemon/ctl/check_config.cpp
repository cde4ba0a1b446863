// check-config: everything that is wrong with a configuration, without a daemon.
#include "config/load/load.hpp"
#include "config/load/schema.hpp"
#include "daemon/ctl/command.hpp"

#include <iostream>

namespace fairway::ctl {

namespace {

int list_keys(Context& c) {
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
    std::cerr << problems.to_string();
    if (!model) return bad_input;
    c.terminal.line(c.text("file") + ": " + std::to_string(model->services.size()) + " services in " +
                        std::to_string(model->datacenters.size()) + " datacenters, " +
                        std::to_string(model->zones.size()) + " zones",
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
