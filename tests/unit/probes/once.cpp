#include "tests/unit/probes/once.hpp"

#include "probes/glue/curl.hpp"
#include "probes/monitor.hpp"
#include "probes/uv_loop.hpp"

#include <csignal>

namespace fairway::testing {

using namespace fairway::probes;

Observation once(CheckKind kind, std::uint16_t port, Duration timeout) {
    signal(SIGPIPE, SIG_IGN); // the worker's thread blocks it
    UvLoop loop;
    Curl curl(loop);
    TaskGroup closing(loop);
    Check check;
    check.kind = std::move(kind);
    check.timing.timeout = timeout;
    ProbeSpec spec;
    spec.check = std::make_shared<const Check>(check);
    spec.host = spec.sni = "shop.test";
    const SocketAddress address{IpAddress::parse("127.0.0.1").value(), port};

    Observation seen;
    Loop::HandlePtr until_closed;
    const std::function<void()> stop_when_closed = [&] {
        if (closing.size() == 0) loop.stop();
        else until_closed = loop.after(1ms, stop_when_closed);
    };
    const Monitor monitor(
        loop, 1, spec.check,
        [&](Reason& silence) {
            const Look at{loop, curl, closing, address, spec, silence};
            return std::visit([&](const auto& k) { return probes::look(k, at); }, spec.check->kind);
        },
        [&](Observation o) {
            seen = std::move(o);
            stop_when_closed();
        },
        0s);
    loop.run();
    return seen;
}

Observation against(CheckKind kind, FaultServer::Serve serve, Duration timeout) {
    const FaultServer server(std::move(serve));
    return once(std::move(kind), server.port(), timeout);
}

} // namespace fairway::testing
