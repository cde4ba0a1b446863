// What the service manager is told (sd_notify(3)). Nothing, where there is none or libsystemd was not built
// in.
#pragma once

#include "config/time.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace fairway::daemon {

void notify_ready();
void notify_reloading();
void notify_stopping();
/// Another process is the main one from now on. Returns when the service manager has heard it, so that what
/// that one says next is believed.
void notify_main(pid_t pid);
void notify_alive(); ///< the watchdog's sign of life

/// How often the sign of life is due: half of what the service manager waits. nullopt: it does not wait.
std::optional<Duration> watchdog_period();

/// Descriptors of the sockets it has opened for us (sd_listen_fds(3)); once, and before there are children,
/// which are not to think that they are meant.
std::vector<int> sockets_of_service_manager();

} // namespace fairway::daemon
