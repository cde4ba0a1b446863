// undrain: end a drain before its time.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    return show_result(c,
                       c.client.post("/v1/undrain", daemon::json_object({{"datacenter", c.text("datacenter")},
                                                                         {"service", c.text("service")}})));
}

}

Command undrain() {
    using enum Argument::Kind;
    return {"undrain",
            "End a drain; name what was drained",
            {{option, "datacenter", "the datacenter that was drained"},
             {option, "service", "the service that was drained"}},
            run};
}

} // namespace fairway::ctl
