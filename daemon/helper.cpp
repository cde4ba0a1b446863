#include "daemon/helper.hpp"

#include "daemon/hook_child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <list>
#include <stdexcept>

namespace fairway::daemon {

namespace {

/// The helper's whole life: jobs in from the link, ends out to it.
class Helping {
  public:
    Helping(Fd link, Fd child_signal) : link_(std::move(link)), child_signal_(std::move(child_signal)) {}

    void run() {
        while (link_) {
            wait();
            take_jobs();
            for (auto& c : children_) serve(c);
            reap();
        }
        end_all();
    }

  private:
    void wait() {
        std::vector<pollfd> fds{{link_.get(), POLLIN, 0}, {child_signal_.get(), POLLIN, 0}};
        auto next = HookChild::Clock::now() + std::chrono::hours(1);
        for (const auto& c : children_) {
            if (c.input() >= 0) fds.push_back({c.input(), POLLOUT, 0});
            if (c.output() >= 0) fds.push_back({c.output(), POLLIN, 0});
            next = std::min(next, c.deadline());
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(next - HookChild::Clock::now()).count();
        poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left, 0)));
        signalfd_siginfo seen;
        while (read(child_signal_.get(), &seen, sizeof seen) > 0) {} // which children it was, waitpid says
    }

    void take_jobs() {
        std::string message(most_message, '\0');
        for (;;) {
            const ssize_t n = recv(link_.get(), message.data(), message.size(), MSG_DONTWAIT);
            if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (n <= 0) return link_.reset();
            if (auto job = HookJob::unpack(std::string_view(message).substr(0, static_cast<std::size_t>(n))))
                begin(std::move(*job));
        }
    }

    void begin(HookJob job) {
        HookChild& child = children_.emplace_back(std::move(job));
        if (child.pid() > 0) return;
        tell(child.not_started());
        children_.pop_back();
    }

    static void serve(HookChild& c) {
        if (c.input() >= 0) c.feed();
        if (c.output() >= 0) c.drain();
        if (HookChild::Clock::now() >= c.deadline()) c.overdue();
    }

    void reap() {
        int status = 0;
        for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
            const auto child = std::ranges::find(children_, pid, &HookChild::pid);
            if (child == children_.end()) continue;
            tell(child->reaped(status));
            children_.erase(child);
        }
    }

    void tell(const HookEnd& end) {
        const std::string message = end.pack();
        if (link_) send(link_.get(), message.data(), message.size(), MSG_NOSIGNAL);
    }

    /// The daemon is gone: a step that is interrupted is run again with its id (L17), so none may run on
    /// unseen.
    void end_all() {
        for (auto& c : children_) c.abandon(SIGTERM);
        const auto patience = HookChild::Clock::now() + HookChild::grace;
        while (!children_.empty() && HookChild::Clock::now() < patience) {
            pollfd fd{child_signal_.get(), POLLIN, 0};
            poll(&fd, 1, 100);
            reap();
        }
        for (auto& c : children_) c.abandon(SIGKILL);
    }

    Fd link_, child_signal_;
    std::list<HookChild> children_;
};

Fd watch_children() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, nullptr);
    return Fd(signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

[[noreturn]] void help(Fd link) {
    // Ctrl-C and the service manager's TERM reach the whole group: the daemon decides, the link tells us.
    for (int s : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(s, SIG_IGN);
    prctl(PR_SET_NAME, "fairway-hooks");
    Helping(std::move(link), watch_children()).run();
    _exit(0);
}

}

Helper start_helper() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw std::runtime_error(std::string("cannot make the hook helper's link: ") + std::strerror(errno));
    Fd ours(ends[0]), its(ends[1]);
    std::fflush(nullptr); // what is not yet written is ours to write, once
    const pid_t pid = fork();
    if (pid < 0)
        throw std::runtime_error(std::string("cannot fork the hook helper: ") + std::strerror(errno));
    if (pid == 0) {
        ours.reset();
        help(std::move(its));
    }
    return {pid, std::move(ours)};
}

} // namespace fairway::daemon
