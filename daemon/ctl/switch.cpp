// switch: move an active/passive service as planned, announced by a short TTL and done when no old answer is
// left.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    const std::string service = c.text("service"), to = c.text("to");
    if (c.flag("abort"))
        return show_result(
            c, c.client.post("/v1/abort", daemon::json_object({{"service", service},
                                                               {"force", c.flag("force")},
                                                               {"while_frozen", c.flag("while-frozen")}})));
    if (to.empty()) {
        c.terminal.error("where to? --to DATACENTER");
        return bad_input;
    }
    const int result = show_result(
        c, c.client.post("/v1/switch", daemon::json_object({{"service", service},
                                                            {"to", to},
                                                            {"dry_run", c.flag("dry-run")},
                                                            {"while_frozen", c.flag("while-frozen")}})));
    const bool begun = result == ok && !c.flag("dry-run");
    return begun && !c.flag("no-wait") ? follow_switch(c, service, to) : result;
}

}

Command planned_switch() {
    using enum Argument::Kind;
    return {"switch",
            "Move an active/passive service as planned; waits until no old answer is left",
            {{positional, "service", "its name", true},
             {option, "to", "the datacenter to move to"},
             {flag, "dry-run", "tell what would be done, and do nothing"},
             {flag, "abort", "give up the switch under way, while nothing has been touched"},
             {flag, "force", "with --abort: even after its fence has begun; undo by hand what its hooks did"},
             {flag, "no-wait", "return as soon as it has begun"},
             {flag, "while-frozen", "act under a freeze: what it is about is decided anew, then held"}},
            run};
}

} // namespace fairway::ctl
