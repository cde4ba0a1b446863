#include "daemon/doors.hpp"

#include "daemon/sockets.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace fairway::daemon {

Doors::Doors(const Model& model, Inherited& given) : model_(model), file_is_ours_(!given.control_stays) {
    for (const auto& address : model.http.listen) {
        try {
            Fd fd = listen_tcp(address, &given.sockets);
            bound_.emplace_back(bound_address(fd), std::move(fd));
        } catch (const std::runtime_error& e) {
            throw std::runtime_error("http.listen " + std::string(e.what()));
        }
    }
    control_socket_ = given.control ? std::move(given.control) : listen_unix(model.control.socket);
}

Doors::~Doors() { close(); }

void Doors::open(HttpServer::Handler readers, const HttpServer::Handler& control,
                 RemoteControl::Answer remote, Inherited& given) {
    remote_ = std::make_unique<RemoteControl>(model_.control, std::move(remote), &given.sockets);
    servers_.push_back(std::make_unique<HttpServer>(std::move(control_socket_), control));
    for (auto& [address, fd] : bound_)
        servers_.push_back(std::make_unique<HttpServer>(std::move(fd), readers));
}

void Doors::close() {
    if (servers_.empty() && !control_socket_) return;
    servers_.clear();
    remote_.reset();
    control_socket_.reset();
    if (file_is_ours_) unlink(model_.control.socket.c_str());
}

std::string Doors::readers() const {
    std::vector<SocketAddress> addresses;
    for (const auto& b : bound_) addresses.push_back(b.first);
    return joined(addresses);
}

std::string Doors::remote() const { return joined(remote_->addresses()); }

std::vector<dns::Socket> Doors::sockets() const {
    std::vector<int> numbers = remote_->listening();
    for (const auto& server : servers_) numbers.push_back(server->listening());
    std::vector<dns::Socket> all;
    for (const int fd : numbers)
        if (dns::Socket copy(fcntl(fd, F_DUPFD_CLOEXEC, 0)); copy) all.push_back(std::move(copy));
    return all;
}

void Doors::leave() {
    file_is_ours_ = false;
    for (const auto& server : servers_) server->stop_accepting();
    remote_->stop_accepting();
}

unsigned Doors::connections() const {
    unsigned all = 0;
    for (const auto& server : servers_) all += server->connections();
    return all;
}

} // namespace fairway::daemon
