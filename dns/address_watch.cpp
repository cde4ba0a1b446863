#include "dns/address_watch.hpp"

#include "dns/threads.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace fairway::dns {
namespace {

Socket open_netlink() {
    Socket socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl groups{};
    groups.nl_family = AF_NETLINK;
    groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR;
    if (socket && bind(socket.fd(), reinterpret_cast<sockaddr*>(&groups), sizeof groups)) return Socket();
    return socket;
}

// What a message says is not needed: the addresses are read anew. One lost for want of room (ENOBUFS) is a
// change, too.
void drain(const Socket& netlink) {
    char message[8192];
    while (recv(netlink.fd(), message, sizeof message, 0) >= 0 || errno == ENOBUFS || errno == EINTR) {}
}

} // namespace

AddressWatch::AddressWatch(std::function<void()> changed)
    : changed_(std::move(changed)), netlink_(open_netlink()), stop_(eventfd(0, EFD_CLOEXEC)) {
    if (!netlink_ || !stop_) {
        problem_ =
            std::string("changes of this machine's addresses are not noticed: ") + std::strerror(errno);
        return;
    }
    thread_ = start_thread("dns-addresses", [this] { run(); });
}

AddressWatch::~AddressWatch() {
    if (!thread_.joinable()) return;
    eventfd_write(stop_.fd(), 1);
    thread_.join();
}

void AddressWatch::run() {
    pollfd wait[] = {{netlink_.fd(), POLLIN, 0}, {stop_.fd(), POLLIN, 0}};
    do {
        drain(netlink_);
        changed_();
        while (poll(wait, 2, -1) < 0 && errno == EINTR) {}
    } while (!wait[1].revents);
}

} // namespace fairway::dns
