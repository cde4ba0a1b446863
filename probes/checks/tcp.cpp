// tcp: a connection is established, and behind it something says what it should.
#include "probes/checks/exchange.hpp"
#include "probes/checks/tools.hpp"

#include <cstring>

namespace fairway::probes {

Task<Finding> look(const TcpCheck& check, Look at) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop(), at.address, at.route());
    Connection c = co_await connecting;
    if (!c.stands()) co_return because(c.reason(at.address), c.text());

    Stream stream(at.loop(), std::move(c.socket), at.address);
    Task<Finding> talking = talk(check.exchange, stream, "connected", at.silence);
    Finding found = co_await talking;
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
