// What the service manager is told (sd_notify(3)). Nothing, where there is none or libsystemd was not built
// in.
#pragma once

#include "config/time.hpp"

#include <optional>
#include <string>

namespace fairway::daemon {

void notify_ready();
void notify_reloading();
void notify_stopping();
void notify_alive(); ///< the watchdog's sign of life

/// How often the sign of life is due: half of what the service manager waits. nullopt: it does not wait.
std::optional<Duration> watchdog_period();

} // namespace fairway::daemon
