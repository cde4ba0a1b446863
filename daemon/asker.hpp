// Who asks something of the daemon, and from where: for the journal and the log.
#pragma once

#include <string>

namespace fairway::daemon {

struct Asker {
    std::string who;  ///< the user at the other end of the socket, or whose token it is
    std::string from; ///< "control socket", an address, "SIGHUP"
};

} // namespace fairway::daemon
