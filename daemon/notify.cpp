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
void notify_main(pid_t pid) {
    tell("MAINPID=" + std::to_string(pid));
#ifdef HAVE_LIBSYSTEMD
    constexpr std::uint64_t patience = 5'000'000; // microseconds: a service manager under load
    sd_notify_barrier(0, patience);
#endif
}
void notify_alive() { tell("WATCHDOG=1"); }

std::optional<Duration> watchdog_period() {
#ifdef HAVE_LIBSYSTEMD
    std::uint64_t microseconds = 0;
    if (sd_watchdog_enabled(0, &microseconds) > 0) return std::chrono::microseconds(microseconds) / 2;
#endif
    return std::nullopt;
}

std::vector<int> sockets_of_service_manager() {
    std::vector<int> all;
#ifdef HAVE_LIBSYSTEMD
    const int n = sd_listen_fds(1);
    for (int i = 0; i < n; ++i) all.push_back(SD_LISTEN_FDS_START + i);
#endif
    return all;
}

} // namespace fairway::daemon
