#include "daemon/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace fairway::daemon {

std::string descriptors_short() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return {};
    const int tenth = static_cast<int>(limit.rlim_cur - limit.rlim_cur / 10);
    const int free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (free >= 0) close(free);
    if (free >= 0 && free < tenth) return {};
    return "nearly all of the " + std::to_string(limit.rlim_cur) +
           " descriptors are in use: checks, connections and hooks fail for want of one (LimitNOFILE=)";
}

} // namespace fairway::daemon
