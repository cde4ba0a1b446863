#include "probes/glue/program.hpp"

#include "probes/async/race.hpp"
#include "probes/async/wait.hpp"
#include "probes/glue/socket.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fairway::probes {

namespace {

/// Until the process has ended; then there is no zombie of it.
Task<void> reap(Loop& loop, Socket pidfd, pid_t pid) {
    co_await Ready(loop, pidfd.fd(), Loop::readable);
    waitpid(pid, nullptr, WNOHANG);
}

/// A child of ours: ended and waited for, whatever becomes of the task.
struct Child {
    Loop& loop;
    TaskGroup& reaping;
    pid_t pid = -1;
    Socket pidfd; ///< readable once it has ended
    Socket output;

    Child(Loop& l, TaskGroup& r) : loop(l), reaping(r) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid <= 0) return;
        kill(-pid, SIGKILL);
        reaping.spawn(reap(loop, std::move(pidfd), pid));
    }
    int start(const Program& program);
};

std::vector<char*> words(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& t : texts) out.push_back(const_cast<char*>(t.c_str()));
    out.push_back(nullptr);
    return out;
}

/// Signals as they are by default, none blocked, a group of its own; nothing open but the standard three.
struct Plan {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;

    explicit Plan(int output) {
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_adddup2(&files, output, 1);
        posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_addclosefrom_np(&files, 3);
        posix_spawnattr_init(&attributes);
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
    }
    Plan(const Plan&) = delete;
    Plan& operator=(const Plan&) = delete;
    ~Plan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
};

int Child::start(const Program& program) {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
    output = Socket(ends[0]);
    const Socket theirs(ends[1]);
    fcntl(output.fd(), F_SETFL, O_NONBLOCK);
    const Plan plan(theirs.fd());
    std::vector<char*> argv = words(program.command), environment = words(program.environment);
    if (const int error =
            posix_spawnp(&pid, argv[0], &plan.files, &plan.attributes, argv.data(), environment.data())) {
        pid = -1;
        return error;
    }
    pidfd = Socket(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (pidfd) return 0;
    const int error = errno;
    kill(-pid, SIGKILL); // without one it cannot be waited for
    waitpid(pid, nullptr, 0);
    pid = -1;
    return error;
}

/// Reads what there is now. False: its end, or too much.
bool read_some(int fd, ProgramEnd& end, std::size_t limit) {
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t n = read(fd, buffer.data(), buffer.size());
        if (n < 0) return errno == EAGAIN || errno == EINTR;
        if (n == 0) return false;
        const std::size_t room = limit - end.output.size();
        end.cut = static_cast<std::size_t>(n) > room;
        end.output.append(buffer.data(), std::min(static_cast<std::size_t>(n), room));
        if (end.cut) return false;
    }
}

Task<bool> read_all(Loop& loop, int fd, ProgramEnd& end, std::size_t limit, Reason& silence) {
    do {
        co_await Ready(loop, fd, Loop::readable);
        silence = Reason::timeout_body;
    } while (read_some(fd, end, limit));
    co_return true;
}

Task<bool> ended(Loop& loop, int pidfd) {
    co_await Ready(loop, pidfd, Loop::readable);
    co_return true;
}

} // namespace

Task<ProgramEnd> run_program(Loop& loop, TaskGroup& reaping, Program program, Reason& silence) {
    silence = Reason::timeout_first_byte;
    ProgramEnd end;
    Child child(loop, reaping);
    end.error = child.start(program);
    if (end.error != 0) co_return end;

    // Its end counts, not its output's: what it leaves running may hold that open.
    Task<bool> reading = read_all(loop, child.output.fd(), end, program.output_limit, silence);
    Task<bool> ending = ended(loop, child.pidfd.fd());
    Task<std::variant<bool, bool>> first = race(std::move(reading), std::move(ending));
    const std::variant<bool, bool> which = co_await first;
    if (end.cut) co_return end;
    if (which.index() == 0) {
        Task<bool> rest = ended(loop, child.pidfd.fd());
        co_await rest;
    } else {
        read_some(child.output.fd(), end, program.output_limit);
    }
    int status = 0;
    kill(-child.pid, SIGKILL); // what it leaves behind; the leader is not reaped yet, so the group is ours
    waitpid(std::exchange(child.pid, -1), &status, 0);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
    else end.status = WEXITSTATUS(status);
    co_return end;
}

} // namespace fairway::probes
