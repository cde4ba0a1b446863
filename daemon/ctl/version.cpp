// version: of this program and of the daemon it talks to.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

int run(Context& c) {
    const Answer answer = c.client.get("/v1/version");
    if (!c.json) c.terminal.line("fairwayctl " FAIRWAY_VERSION);
    if (!answer.ok()) return complain(c, answer);
    if (c.json) c.terminal.document(answer.body.pretty());
    else
        c.terminal.line("fairwayd " + answer.body.text("version") + ", process " + answer.body.text("pid") +
                        ", since " + answer.body.text("started") + ", " + answer.body.text("configuration"));
    return ok;
}

}

Command version() { return {"version", "Versions of fairwayctl and of the running fairwayd", {}, run}; }

} // namespace fairway::ctl
