// tcp: a connection is established. What is behind the port is not asked.
#include "probes/checks/check.hpp"
#include "probes/glue/socket.hpp"

#include <cstring>

namespace fairway::probes {

Task<Finding> look(const TcpCheck&, Look at) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop, at.address);
    Connection c = co_await connecting;
    if (c.error != 0) co_return because(reason_of_errno(c.error, at.address), std::strerror(c.error));
    at.closing.spawn(close_in_order(at.loop, std::move(c.socket)));
    co_return pass("connected");
}

Task<void> hold(const TcpCheck&, Look at) {
    return hold_open(at.loop, at.address, at.spec.check->timing.timeout);
}

} // namespace fairway::probes
