// failover: move an active/passive service to another datacenter, by its runbook where it follows a database.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    const std::string body = daemon::json_object({{"service", c.text("service")},
                                                  {"to", c.text("to")},
                                                  {"accept_claim", c.flag("accept-claim")},
                                                  {"while_frozen", c.flag("while-frozen")}});
    const int result = show_result(c, c.client.post("/v1/failover", body));
    return result == ok && !c.flag("no-wait") ? follow_switch(c, c.text("service"), c.text("to")) : result;
}

}

Command failover() {
    using enum Argument::Kind;
    return {
        "failover",
        "Move an active/passive service; waits until it has moved",
        {{positional, "service", "its name", true},
         {option, "to", "the datacenter to move to", true},
         {flag, "accept-claim", "follow a primary that is older or of another system than the followed one"},
         {flag, "no-wait", "return as soon as it has begun"},
         {flag, "while-frozen", "act under a freeze: what it is about is decided anew, then held"}},
        run};
}

} // namespace fairway::ctl
