// tls: a session is established with a certificate that is believed, and what tcp can ask besides.
//
// Where a server wants a certificate of ours, TLS 1.3 lets it refuse only after our side of the handshake is
// over: then `expect` is what notices.
#include "probes/checks/exchange.hpp"
#include "probes/checks/tools.hpp"

#include <cstring>

namespace fairway::probes {

Task<Finding> look(const TlsCheck& check, Look at) {
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop(), at.address, at.route());
    Connection c = co_await connecting;
    if (!c.stands()) co_return because(c.reason(at.address), c.text());

    Stream stream(at.loop(), std::move(c.socket), at.address);
    at.silence = Reason::timeout_tls;
    std::string name = at.spec.sni.empty() ? at.address.ip.to_string() : at.spec.sni;
    Task<Heard> shaking = stream.start_tls(at.tools.tls, check.tls_settings, std::move(name));
    const Heard shaken = co_await shaking;
    if (shaken.reason != Reason::ok) co_return because(shaken.reason, shaken.detail);

    Task<Finding> talking = talk(check.exchange, stream,
                                 stream.resumed() ? "session resumed" : "session established", at.silence);
    Finding said = co_await talking;
    Finding found =
        beside_certificate(std::move(said), stream.certificate_ends(), check.tls_settings, at.loop());
    at.tools.closing.spawn(Stream::close(std::move(stream)));
    co_return found;
}

} // namespace fairway::probes
