// upgrade: the program at the daemon's path takes its place, sockets and all, and no query is lost.
#include "daemon/ctl/command.hpp"

namespace fairway::ctl {

namespace {

/// The daemon gives the new process 79 s, and first the reload under way a minute.
constexpr Client::Patience patience{160};

int run(Context& c) {
    if (!c.json)
        c.terminal.progress(
            "handing over: the new process starts and takes the sockets; the old one serves meanwhile");
    return show_result(c, c.client.post("/v1/upgrade", "{}", patience));
}

}

Command upgrade() {
    return {"upgrade",
            "Hand over to the fairwayd installed now, without a lost query; or go on as it is",
            {},
            run};
}

} // namespace fairway::ctl
