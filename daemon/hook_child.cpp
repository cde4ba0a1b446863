#include "daemon/hook_child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace fairway::daemon {

namespace {

struct Pipe {
    Fd read, write;
    Pipe() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) == 0) read = Fd(ends[0]), write = Fd(ends[1]);
    }
};

void set_nonblocking(const Fd& fd) { fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

void forget_our_signals() {
    for (int s : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ, SIGCHLD}) signal(s, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
}

std::string in_seconds(std::chrono::milliseconds t) {
    return t.count() % 1000 ? std::to_string(t.count()) + "ms" : std::to_string(t.count() / 1000) + "s";
}

/// What was printed, as one line: line ends are " | ", other control characters blanks.
std::string one_line(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    std::string line;
    for (char c : text) c == '\n' ? line += " | " : line += (static_cast<unsigned char>(c) < ' ' ? ' ' : c);
    return line;
}

}

HookChild::HookChild(HookJob job) : job_(std::move(job)), deadline_(Clock::now() + job_.timeout) {
    Pipe in, out;
    if (!in.write || !out.write) {
        error_ = std::string("cannot make a pipe: ") + std::strerror(errno);
        return;
    }
    pid_ = fork();
    if (pid_ == 0) become(in.read.get(), out.write.get());
    if (pid_ < 0) error_ = std::string("cannot fork: ") + std::strerror(errno);
    else setpgid(pid_, pid_); // the child does the same: whoever is first
    input_ = std::move(in.write);
    output_ = std::move(out.read);
    set_nonblocking(input_);
    set_nonblocking(output_);
}

void HookChild::become(int in, int out) const {
    setpgid(0, 0);
    forget_our_signals();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    if (!job_.url.empty()) {
        const std::string error = post_json(job_.url, job_.input, job_.timeout);
        if (!error.empty()) dprintf(STDOUT_FILENO, "%s\n", error.c_str());
        _exit(error.empty() ? 0 : 1);
    }
    for (const auto& e : job_.environment) putenv(const_cast<char*>(e.c_str()));
    std::vector<char*> argv;
    for (const auto& a : job_.argv) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    dprintf(STDOUT_FILENO, "cannot run %s: %s\n", argv[0], std::strerror(errno));
    _exit(127);
}

void HookChild::feed() {
    const ssize_t n = write(input_.get(), job_.input.data() + fed_, job_.input.size() - fed_);
    if (n > 0) fed_ += static_cast<std::size_t>(n);
    const bool broken = n < 0 && errno != EAGAIN && errno != EINTR; // it does not read: its own affair
    if (broken || fed_ == job_.input.size()) input_.reset();
}

void HookChild::drain() {
    std::array<char, 65536> buffer;
    for (ssize_t n; output_;) {
        n = read(output_.get(), buffer.data(), buffer.size());
        if (n == 0) output_.reset();
        if (n <= 0) return;
        tail_.append(buffer.data(), static_cast<std::size_t>(n));
        if (tail_.size() > most_output) tail_.erase(0, tail_.size() - most_output);
        if (static_cast<std::size_t>(n) < buffer.size()) return; // let the others have their turn
    }
}

void HookChild::overdue() {
    abandon(terms_++ == 0 ? SIGTERM : SIGKILL);
    deadline_ = Clock::now() + grace;
}

void HookChild::abandon(int signal) const {
    if (pid_ > 0) kill(-pid_, signal);
}

HookEnd HookChild::reaped(int status) {
    drain();
    if (terms_) abandon(SIGKILL); // whoever of the group has outlived the deadline
    HookEnd end{job_.number, false, {}};
    if (terms_) end.detail = "timed out after " + in_seconds(job_.timeout);
    else if (WIFSIGNALED(status)) end.detail = "killed by signal " + std::to_string(WTERMSIG(status));
    else if (!job_.url.empty()) end.detail = WEXITSTATUS(status) ? "POST failed" : "POST succeeded";
    else end.detail = "exit status " + std::to_string(WEXITSTATUS(status));
    end.ok = !terms_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (const auto said = one_line(tail_); !said.empty()) end.detail += ": " + said;
    return end;
}

HookEnd HookChild::not_started() const { return {job_.number, false, error_}; }

} // namespace fairway::daemon
