// icmp: an echo request is answered. Whether anything but the host's kernel lives is not asked.
#include "probes/checks/check.hpp"
#include "probes/checks/tools.hpp"

namespace fairway::probes {

Task<Finding> look(const IcmpCheck&, Look at) {
    at.silence = Reason::timeout_first_byte;
    Task<Echo> asking = at.tools.ping.echo(at.address.ip, at.source());
    const Echo echo = co_await asking;
    co_return echo.reason == Reason::ok ? pass("echo reply") : because(echo.reason, echo.detail);
}

} // namespace fairway::probes
