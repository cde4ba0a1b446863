#include "daemon/inherited.hpp"

#include "daemon/notify.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace fairway::daemon {

namespace {

int option(int fd, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

std::string path_of(int fd) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
    return std::string(address.sun_path, strnlen(address.sun_path, sizeof address.sun_path));
}

void sort(Inherited& all, Fd fd, const std::string& control_path) {
    const int domain = option(fd.get(), SO_DOMAIN), type = option(fd.get(), SO_TYPE);
    const bool listens = type == SOCK_DGRAM || option(fd.get(), SO_ACCEPTCONN) == 1;
    if (!listens) all.unknown.push_back("a descriptor that is no listening socket");
    else if (domain == AF_INET || domain == AF_INET6) all.sockets.add(dns::Socket(fd.release()));
    else if (domain == AF_UNIX && type == SOCK_STREAM && path_of(fd.get()) == control_path)
        all.control = std::move(fd);
    else all.unknown.push_back(what_socket(fd.get()));
}

}

std::string what_socket(int descriptor) {
    if (option(descriptor, SO_DOMAIN) == AF_UNIX) return "a Unix socket at " + path_of(descriptor);
    sockaddr_storage a{};
    socklen_t length = sizeof a;
    getsockname(descriptor, reinterpret_cast<sockaddr*>(&a), &length);
    const char* transport = option(descriptor, SO_TYPE) == SOCK_DGRAM ? "UDP " : "TCP ";
    return transport + dns::from_sockaddr(reinterpret_cast<const sockaddr*>(&a)).to_string();
}

Inherited from_service_manager(const std::string& control_path) {
    Inherited all;
    for (const int fd : sockets_of_service_manager()) sort(all, Fd(fd), control_path);
    all.control_stays = static_cast<bool>(all.control);
    return all;
}

Inherited from_process(std::shared_ptr<Takeover> takeover, const std::string& control_path) {
    Inherited all;
    for (auto& fd : takeover->take_sockets()) sort(all, std::move(fd), control_path);
    all.control_stays = takeover->control_stays();
    all.from = std::move(takeover);
    return all;
}

} // namespace fairway::daemon
