#include "probes/checks/opening.hpp"

#include "probes/checks/tools.hpp"

#include <cstring>

namespace fairway::probes {

Task<Opened> open_stream(Look at, const TlsSettings* tls, std::string name) {
    Opened opened;
    at.silence = Reason::timeout_connect;
    Task<Connection> connecting = connect(at.loop(), at.address, at.route());
    Connection c = co_await connecting;
    if (!c.stands()) {
        opened.problem = because(c.reason(at.address), c.text());
        co_return opened;
    }
    Stream stream(at.loop(), std::move(c.socket), at.address);
    if (tls) {
        at.silence = Reason::timeout_tls;
        const auto* target = std::get_if<std::string>(&at.spec.target);
        if (name.empty()) name = target ? *target : at.address.ip.to_string();
        Task<Heard> shaking = stream.start_tls(at.tools.tls, *tls, std::move(name));
        const Heard shaken = co_await shaking;
        if (shaken.reason != Reason::ok) {
            opened.problem = because(shaken.reason, shaken.detail);
            co_return opened;
        }
    }
    opened.stream.emplace(std::move(stream));
    co_return opened;
}

Task<Heard> say(Stream& stream, Look at, std::string request) {
    Task<Heard> writing = stream.write(std::move(request));
    Heard written = co_await writing;
    at.silence = Reason::timeout_first_byte;
    co_return written;
}

} // namespace fairway::probes
