// reload: read the configuration again; a bad one changes nothing and every problem is shown.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    if (!c.json) c.terminal.progress("reading the configuration again: a large one takes up to a minute");
    const auto body = daemon::json_object({{"force", c.flag("force")}});
    return show_result(c, c.client.post("/v1/reload", body, Client::reload));
}

}

Command reload() {
    using enum Argument::Kind;
    return {"reload",
            "Read the configuration again; a bad one changes nothing",
            {{flag, "force", "even if more than half of the services or zones would be gone"}},
            run};
}

} // namespace fairway::ctl
