// What a daemon is given at its start, in place of what it would open itself: sockets, by the process that it
// takes the place of or by the service manager (socket activation, sd_listen_fds(3)).
//
// Before there are threads, and then the control thread's.
#pragma once

#include "daemon/fd.hpp"
#include "daemon/takeover.hpp"
#include "dns/sockets.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fairway::daemon {

struct Inherited {
    dns::GivenSockets sockets;        ///< UDP and TCP, found by their address
    Fd control;                       ///< the control socket, if it is where the configuration wants it
    bool control_stays = false;       ///< its file is the service manager's, and stays when we end
    std::vector<std::string> unknown; ///< what nobody can be meant by: "a Unix socket at /run/other"
    std::shared_ptr<Takeover> from;   ///< who we take the place of; null: nobody
};

/// What the service manager has given us, by LISTEN_FDS. Whatever it is named there: addresses tell what it
/// is for.
Inherited from_service_manager(const std::string& control_path);

/// What the process before us has given us.
Inherited from_process(std::shared_ptr<Takeover> takeover, const std::string& control_path);

/// "UDP 192.0.2.1:53", for whoever has to find it in a configuration.
std::string what_socket(int descriptor);

} // namespace fairway::daemon
