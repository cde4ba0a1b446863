#include "daemon/notify.hpp"

#ifdef HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include <ctime>

namespace fairway::daemon {

namespace {

void tell([[maybe_unused]] const std::string& text) {
#ifdef HAVE_LIBSYSTEMD
    sd_notify(0, text.c_str());
#endif
}

/// Type=notify-reload wants to know when the reload began.
std::string monotonic_usec() {
    timespec t{};
    clock_gettime(CLOCK_MONOTONIC, &t);
    return std::to_string(t.tv_sec * 1'000'000 + t.tv_nsec / 1000);
}

}

void notify_ready() { tell("READY=1"); }
void notify_reloading() { tell("RELOADING=1\nMONOTONIC_USEC=" + monotonic_usec()); }
void notify_stopping() { tell("STOPPING=1"); }
void notify_alive() { tell("WATCHDOG=1"); }

std::optional<Duration> watchdog_period() {
#ifdef HAVE_LIBSYSTEMD
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) > 0) return std::chrono::microseconds(microseconds) / 2;
#endif
    return std::nullopt;
}

} // namespace fairway::daemon
