// drain: take traffic away from a datacenter, a service, or a service in a datacenter; checks go on.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    return show_result(c,
                       c.client.post("/v1/drain", daemon::json_object({{"datacenter", c.text("datacenter")},
                                                                       {"service", c.text("service")},
                                                                       {"reason", c.text("reason")},
                                                                       {"for", c.text("for")},
                                                                       {"force", c.flag("force")}})));
}

}

Command drain() {
    using enum Argument::Kind;
    return {"drain",
            "Take traffic away; checks go on. Ends by undrain or by itself",
            {{option, "datacenter", "the datacenter to leave"},
             {option, "service", "only this service"},
             {option, "reason", "why, for status and journal", true},
             {option, "for", "how long: 30m, 24h (default 24h)"},
             {flag, "force", "even if a service loses its last usable site"}},
            run};
}

} // namespace fairway::ctl
