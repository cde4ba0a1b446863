// reload: read the configuration again; a bad one changes nothing and every problem is shown.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) { return show_result(c, c.client.post("/v1/reload", "{}", Client::reload)); }

}

Command reload() { return {"reload", "Read the configuration again; a bad one changes nothing", {}, run}; }

} // namespace fairway::ctl
