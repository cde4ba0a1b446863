#include "tests/unit/probes/once.hpp"

#include "probes/checks/tools.hpp"
#include "probes/monitor.hpp"
#include "probes/uv_loop.hpp"

#include <csignal>

namespace fairway::testing {

using namespace fairway::probes;

std::vector<Observation> looks(const Check& check, const SocketAddress& address, std::size_t count) {
    signal(SIGPIPE, SIG_IGN); // the worker's thread blocks it
    UvLoop loop;
    Tools tools(loop, 4);
    ProbeSpec spec;
    spec.check = std::make_shared<const Check>(check);
    spec.host = spec.sni = "shop.test";
    spec.datacenter = "east";

    std::vector<Observation> seen;
    Loop::HandlePtr until_closed;
    std::optional<Monitor> monitor;
    const std::function<void()> stop_when_closed = [&] {
        if (tools.closing.size() == 0) loop.stop();
        else until_closed = loop.after(1ms, stop_when_closed);
    };
    monitor.emplace(
        loop, 1, spec.check,
        [&](Reason& silence) {
            const Look at{tools, address, spec, silence};
            return std::visit([&](const auto& k) { return probes::look(k, at); }, spec.check->kind);
        },
        [&](Observation o) {
            if (seen.size() == count) return;
            seen.push_back(std::move(o));
            if (seen.size() == count) stop_when_closed();
            else until_closed = loop.after(20ms, [&] { monitor->look_now(); }); // the last goodbye is over
        },
        0s);
    loop.run();
    return seen;
}

Observation once(CheckKind kind, std::uint16_t port, Duration timeout) {
    Check check;
    check.name = "once";
    check.kind = std::move(kind);
    check.timing.timeout = timeout;
    return looks(check, {IpAddress::parse("127.0.0.1").value(), port}, 1).front();
}

Observation against(CheckKind kind, FaultServer::Serve serve, Duration timeout) {
    const FaultServer server(std::move(serve));
    return once(std::move(kind), server.port(), timeout);
}

} // namespace fairway::testing
