#include "tests/unit/probes/process.hpp"

#include <arpa/inet.h>
#include <array>
#include <csignal>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fairway::testing {

namespace {

/// Answers what was asked, or takes note of the end.
void attend(int fd) {
    static constexpr std::string_view answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    std::array<char, 4096> buffer{};
    if (recv(fd, buffer.data(), buffer.size(), 0) > 0) send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(fd);
}

[[noreturn]] void serve(int listener, int reports) {
    std::vector<pollfd> fds{{listener, POLLIN, 0}};
    for (;;) {
        poll(fds.data(), fds.size(), -1);
        if (fds[0].revents != 0) {
            fds.push_back({accept(listener, nullptr, nullptr), POLLIN, 0});
            if (write(reports, "+", 1) != 1) _exit(1);
        }
        for (std::size_t i = 1; i < fds.size(); ++i) {
            if (fds[i].revents == 0) continue;
            attend(fds[i].fd);
            fds[i].fd = -1;
        }
    }
}

} // namespace

Process::Process() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof a;
    std::array<int, 2> ends{};
    if (bind(listener, reinterpret_cast<sockaddr*>(&a), size) != 0 || listen(listener, 64) != 0 ||
        getsockname(listener, reinterpret_cast<sockaddr*>(&a), &size) != 0 || pipe(ends.data()) != 0)
        throw std::runtime_error("no server");
    port_ = ntohs(a.sin_port);
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[0]);
        serve(listener, ends[1]);
    }
    close(listener);
    close(ends[1]);
    reports_ = ends[0];
}

void Process::accepted(int more) {
    char one = 0;
    while (more-- > 0)
        if (read(reports_, &one, 1) != 1) throw std::runtime_error("the server has gone");
}

void Process::kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

Process::~Process() {
    kill();
    close(reports_);
}

} // namespace fairway::testing
