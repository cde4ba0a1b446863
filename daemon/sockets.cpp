#include "daemon/sockets.hpp"

#include "dns/sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace fairway::daemon {

namespace {

/// Connections that wait to be accepted; scrapers and people, not a public service.
constexpr int backlog = 64;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

sockaddr_un unix_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path)
        throw std::runtime_error("control socket " + path + ": a path of 1 to 107 bytes is needed");
    std::memcpy(address.sun_path, path.data(), path.size());
    return address;
}

bool somebody_answers(const sockaddr_un& address) {
    Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
           errno == EAGAIN; // its queue is full: alive and busy
}

void clear_stale(const std::string& path, const sockaddr_un& address) {
    struct stat info {};
    if (lstat(path.c_str(), &info) != 0) return;
    if (!S_ISSOCK(info.st_mode))
        throw std::runtime_error("control socket " + path + ": there is a file of another kind");
    if (somebody_answers(address))
        throw std::runtime_error("control socket " + path + ": another process answers on it");
    unlink(path.c_str());
}

/// /run is empty after every start of the machine. Whoever may connect is the socket's affair, not the
/// directory's.
void make_last_directory(const std::string& path) {
    const std::string directory = std::filesystem::path(path).parent_path().string();
    if (directory.empty()) return;
    if (mkdir(directory.c_str(), 0755) == 0) chmod(directory.c_str(), 0755); // whatever the umask
    else if (errno != EEXIST) fail("control socket " + path + ": cannot make " + directory);
}

}

Fd listen_tcp(const SocketAddress& address, dns::GivenSockets* given) {
    if (given)
        if (auto found = given->take(address, SOCK_STREAM); !found.empty()) {
            fcntl(found.front().fd(), F_SETFL, fcntl(found.front().fd(), F_GETFL) | O_NONBLOCK);
            return Fd(found.front().release());
        }
    sockaddr_storage storage{};
    const socklen_t size = dns::to_sockaddr(address, storage);
    Fd fd(socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) fail(address.to_string());
    const int on = 1;
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (storage.ss_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), size) != 0 || listen(fd.get(), backlog) != 0)
        fail(address.to_string());
    return fd;
}

Fd listen_unix(const std::string& path) {
    const sockaddr_un address = unix_address(path);
    make_last_directory(path);
    clear_stale(path, address);
    Fd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) fail("control socket " + path);
    const mode_t before = umask(0117); // 0660 from the first moment
    const int bound = bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    umask(before);
    if (bound != 0 || listen(fd.get(), backlog) != 0) fail("control socket " + path);
    return fd;
}

std::string peer_user(int connection) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "unknown";
    std::array<char, 4096> buffer{};
    passwd entry{}, *found = nullptr;
    getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found);
    return found ? found->pw_name : "uid " + std::to_string(peer.uid);
}

SocketAddress bound_address(const Fd& fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return dns::from_sockaddr(reinterpret_cast<const sockaddr*>(&storage));
}

} // namespace fairway::daemon
