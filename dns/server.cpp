#include "dns/server.hpp"

#include <cerrno>
#include <random>

namespace fairway::dns {
namespace {

// A port free for UDP may be taken for TCP; so many unlucky guesses in a row do not happen.
constexpr int port_guesses = 20;

std::uint64_t seed() {
    std::random_device device;
    return static_cast<std::uint64_t>(device()) << 32 | device();
}

unsigned worker_count(const DnsSettings& settings) {
    return settings.threads ? settings.threads : std::max(1u, std::thread::hardware_concurrency());
}

} // namespace

struct Server::Bound {
    std::vector<SocketAddress> addresses;
    std::vector<Socket> udp, tcp;

    // TCP first: it cannot be shared, so a second server on the port is found out.
    Opened bind(SocketAddress address, unsigned workers) {
        Opened listener = open_tcp(address);
        if (!listener.socket) return listener;
        address.port = bound_address(listener.socket).port;
        std::vector<Socket> sockets;
        for (unsigned w = 0; w < workers; ++w) {
            Opened opened = open_udp(address);
            if (!opened.socket) return opened;
            sockets.push_back(std::move(opened.socket));
        }
        addresses.push_back(address);
        tcp.push_back(std::move(listener.socket));
        for (auto& s : sockets) udp.push_back(std::move(s));
        return {};
    }

    Opened bind_any_port(const SocketAddress& address, unsigned workers) {
        Opened last;
        for (int i = 0; i < port_guesses; ++i)
            if (last = bind(address, workers); last.problem.empty() || last.error != EADDRINUSE) break;
        return last;
    }
};

std::vector<std::string> Server::bind_all(const DnsSettings& settings, unsigned workers, Bound& bound) {
    std::vector<std::string> problems;
    for (const auto& asked : settings.listen) {
        const bool all = asked.ip.unspecified();
        for (const auto& address : expand(asked)) {
            const Opened o =
                address.port ? bound.bind(address, workers) : bound.bind_any_port(address, workers);
            // An address still being checked for duplicates, or just gone, is no reason to serve none.
            if (!o.problem.empty() && !(all && o.error == EADDRNOTAVAIL)) problems.push_back(o.problem);
        }
    }
    if (problems.empty() && bound.addresses.empty())
        problems.push_back("dns.listen names no address of this machine");
    return problems;
}

Server::Started Server::start(const DnsSettings& settings, SnapshotPtr first) {
    Bound bound;
    const unsigned workers = worker_count(settings);
    if (auto problems = bind_all(settings, workers, bound); !problems.empty())
        return {nullptr, std::move(problems)};
    std::unique_ptr<Server> server(new Server);
    server->handover_.publish(std::move(first));
    server->addresses_ = std::move(bound.addresses);
    server->tcp_ = std::make_unique<TcpFront>(std::move(bound.tcp), server->handover_, seed());
    if (!server->tcp_->problem().empty()) return {nullptr, {server->tcp_->problem()}};
    for (auto& socket : bound.udp)
        server->workers_.push_back(
            std::make_unique<UdpWorker>(std::move(socket), server->handover_, workers, seed()));
    return {std::move(server), {}};
}

Server::~Server() = default;

Server::TransportCounts Server::counts() const {
    TransportCounts sum;
    for (const auto& w : workers_) sum.udp += w->counters().read();
    sum.tcp = tcp_->counters().read();
    return sum;
}

} // namespace fairway::dns
