// failback: return an active/passive service to the site it prefers, by its runbook where it follows a
// database.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    const int result = show_result(
        c, c.client.post("/v1/failback", daemon::json_object({{"service", c.text("service")},
                                                              {"while_frozen", c.flag("while-frozen")}})));
    return result == ok && !c.flag("no-wait") ? follow_switch(c, c.text("service"), "") : result;
}

}

Command failback() {
    using enum Argument::Kind;
    return {"failback",
            "Return an active/passive service to its preferred site; waits until it has moved",
            {{positional, "service", "its name", true},
             {flag, "no-wait", "return as soon as it has begun"},
             {flag, "while-frozen", "act under a freeze: what it is about is decided anew, then held"}},
            run};
}

} // namespace fairway::ctl
