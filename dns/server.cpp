#include "dns/server.hpp"

#include <fcntl.h>

#include <algorithm>
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

std::vector<SocketAddress> wildcards_of(const DnsSettings& settings) {
    std::vector<SocketAddress> found;
    for (const auto& a : settings.listen)
        if (a.ip.unspecified()) found.push_back(a);
    return found;
}

} // namespace

// One address bound for both transports, or why not.
struct Server::Sockets {
    SocketAddress address; // as bound
    SocketAddress asked;   // with port 0 where any will do
    bool followed = false; // stands for 0.0.0.0 or [::], and goes with its address
    Socket tcp;
    std::vector<Socket> udp;
    std::string problem;
    int error = 0;

    Sockets(const SocketAddress& a, bool follow) : address(a), asked(a), followed(follow) {}

    static Sockets bind(const SocketAddress& asked, bool followed, unsigned workers, GivenSockets* given) {
        for (int guess = 1;; ++guess) {
            Sockets s(asked, followed);
            if (given) s.accept(*given);
            s.open(workers);
            if (asked.port != 0 || s.error != EADDRINUSE || guess == port_guesses) return s;
        }
    }

    void accept(GivenSockets& given) {
        if (auto found = given.take(asked, SOCK_STREAM); !found.empty()) tcp = std::move(found.front());
        udp = given.take(asked, SOCK_DGRAM);
        for (const auto& s : udp) {
            tune_udp(s, asked.ip.family);
            fcntl(s.fd(), F_SETFL, fcntl(s.fd(), F_GETFL) & ~O_NONBLOCK); // workers wait in it
        }
        if (tcp) fcntl(tcp.fd(), F_SETFL, fcntl(tcp.fd(), F_GETFL) | O_NONBLOCK);
    }

    // TCP first: it cannot be shared, so a second server on the port is found out.
    void open(unsigned workers) {
        if (!tcp && !keep(open_tcp(address), tcp)) return;
        address.port = bound_address(tcp).port;
        // Given ones may belong to another user, beside whom we cannot bind: what is missing shares one of
        // them.
        const std::size_t given = udp.size();
        for (std::size_t w = given; w < workers; ++w) {
            Socket shared = given ? another(udp[w % given]) : Socket();
            if (shared) udp.push_back(std::move(shared));
            else if (!given && !keep(open_udp(address), udp.emplace_back())) return;
        }
    }

    bool keep(Opened opened, Socket& where) {
        problem = std::move(opened.problem);
        error = opened.error;
        where = std::move(opened.socket);
        return problem.empty();
    }

    // An address still being checked for duplicates, or just gone, is no reason to serve none.
    bool absent() const { return followed && error == EADDRNOTAVAIL; }
};

struct Server::Front {
    SocketAddress address, asked;
    bool followed;
    std::vector<std::unique_ptr<UdpWorker>> workers;

    Counts counts() const {
        Counts sum;
        for (const auto& w : workers) sum += w->counters().read();
        return sum;
    }
};

Server::Server(const DnsSettings& settings, SnapshotPtr first, Tell tell)
    : wildcards_(wildcards_of(settings)), threads_(worker_count(settings)), tell_(std::move(tell)) {
    handover_.publish(std::move(first));
}

Server::Started Server::start(const DnsSettings& settings, SnapshotPtr first, Tell tell,
                              GivenSockets* given) {
    std::unique_ptr<Server> server(new Server(settings, std::move(first), std::move(tell)));
    std::vector<std::string> problems;
    std::vector<Sockets> bound;
    const auto taken = [&](const SocketAddress& a) { // named by itself and as one of all
        return a.port != 0 && std::ranges::any_of(bound, [&](auto& s) { return s.asked == a; });
    };
    for (const auto& asked : settings.listen)
        for (const auto& address : expand(asked)) {
            if (taken(address)) continue;
            Sockets s = Sockets::bind(address, asked.ip.unspecified(), server->threads_, given);
            if (s.problem.empty()) bound.push_back(std::move(s));
            else if (!s.absent()) problems.push_back(s.problem);
        }
    if (!problems.empty()) return {nullptr, std::move(problems)};

    server->tcp_ = std::make_unique<TcpFront>(server->handover_, seed());
    for (auto& s : bound) {
        if (auto problem = server->tcp_->add(std::move(s.tcp)); !problem.empty())
            return {nullptr, {std::move(problem)}};
        server->serve(std::move(s));
    }
    if (server->wildcards_.empty()) return {std::move(server), {}};
    server->watch_ = std::make_unique<AddressWatch>([s = server.get()] { s->follow(); });
    if (!server->watch_->problem().empty()) return {nullptr, {server->watch_->problem()}};
    return {std::move(server), {}};
}

Server::~Server() = default;

void Server::serve(Sockets sockets) {
    auto front = std::make_unique<Front>(Front{sockets.address, sockets.asked, sockets.followed, {}});
    const auto workers = static_cast<unsigned>(sockets.udp.size());
    for (auto& socket : sockets.udp)
        front->workers.push_back(std::make_unique<UdpWorker>(std::move(socket), handover_, workers, seed()));
    std::scoped_lock lock(mutex_);
    fronts_.push_back(std::move(front));
}

// ---------------------------------------------------------------- addresses that come and go

void Server::follow() {
    std::vector<SocketAddress> present;
    for (const auto& wildcard : wildcards_)
        for (const auto& address : expand(wildcard)) {
            if (address.ip.unspecified()) return; // they could not be read: nothing is known to have gone
            present.push_back(address);
        }
    drop_missing(present);
    add_new(present);
}

void Server::drop_missing(const std::vector<SocketAddress>& present) {
    const auto stays = [&](const auto& f) {
        return !f->followed || std::ranges::find(present, f->asked) != present.end();
    };
    std::vector<std::unique_ptr<Front>> gone;
    {
        std::scoped_lock lock(mutex_);
        const auto first = std::ranges::partition(fronts_, stays).begin();
        for (auto i = first; i != fronts_.end(); ++i) retired_ += (*i)->counts();
        std::move(first, fronts_.end(), std::back_inserter(gone));
        fronts_.erase(first, fronts_.end());
    }
    for (auto& front : gone) {
        tcp_->remove(front->address);
        if (tell_) tell_({Notice::Kind::removed, front->address.to_string()});
    }
}

void Server::add_new(const std::vector<SocketAddress>& present) {
    const auto served = [&](const SocketAddress& a) { // only this thread changes the list
        return std::ranges::any_of(fronts_, [&](auto& f) { return f->asked == a; });
    };
    for (const auto& address : present) {
        if (served(address)) continue;
        Sockets s = Sockets::bind(address, true, threads_, nullptr);
        if (s.absent()) continue; // the kernel tells of it again once it can be used
        if (s.problem.empty()) s.problem = tcp_->add(std::move(s.tcp));
        const SocketAddress where = s.address;
        Notice notice = s.problem.empty() ? Notice{Notice::Kind::added, where.to_string()}
                                          : Notice{Notice::Kind::problem, s.problem};
        try {
            if (s.problem.empty()) serve(std::move(s));
        } catch (const std::exception& e) { // no thread or no memory for it: the others go on
            tcp_->remove(where);
            notice = {Notice::Kind::problem, where.to_string() + ": " + e.what()};
        }
        if (tell_) tell_(notice);
    }
}

// ---------------------------------------------------------------- what others ask

std::vector<SocketAddress> Server::addresses() const {
    std::scoped_lock lock(mutex_);
    std::vector<SocketAddress> all;
    for (const auto& f : fronts_) all.push_back(f->address);
    return all;
}

std::vector<Socket> Server::sockets() const {
    std::vector<Socket> all = tcp_->sockets();
    std::scoped_lock lock(mutex_);
    for (const auto& f : fronts_)
        for (const auto& w : f->workers)
            if (Socket copy = another(w->socket()); copy) all.push_back(std::move(copy));
    return all;
}

void Server::leave() {
    watch_.reset(); // addresses that come are the other's affair
    tcp_->leave();
    std::scoped_lock lock(mutex_);
    for (const auto& f : fronts_)
        for (const auto& w : f->workers) w->leave();
    for (const auto& f : fronts_)
        for (const auto& w : f->workers) w->left();
}

Server::TransportCounts Server::counts() const {
    std::scoped_lock lock(mutex_);
    TransportCounts sum;
    sum.udp = retired_;
    for (const auto& f : fronts_) sum.udp += f->counts();
    sum.tcp = tcp_->counters().read();
    return sum;
}

} // namespace fairway::dns
