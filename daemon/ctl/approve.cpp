// approve: let a switch that waits for a person go on.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    return show_result(
        c, c.client.post("/v1/approve", daemon::json_object({{"id", c.text("id")},
                                                             {"dry_run", c.flag("dry-run")},
                                                             {"while_frozen", c.flag("while-frozen")}})));
}

}

Command approve() {
    using enum Argument::Kind;
    return {"approve",
            "Let a waiting switch go on; tells lag, data at risk and predicted load",
            {{positional, "id", "as status shows it", true},
             {flag, "dry-run", "tell what is at stake, and approve nothing"},
             {flag, "while-frozen", "act under a freeze: what it is about is decided anew, then held"}},
            run};
}

} // namespace fairway::ctl
