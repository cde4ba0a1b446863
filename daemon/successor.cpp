#include "daemon/successor.hpp"

#include "daemon/takeover.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <thread>

namespace fairway::daemon {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr int link_there = 3; ///< the link's descriptor in the new process: the first after the standard ones

/// Ours, but for what was meant for this process alone.
std::vector<std::string> environment(const Program& program) {
    std::vector<std::string> all;
    for (char** e = environ; *e; ++e) {
        const std::string_view line(*e);
        constexpr std::array<std::string_view, 4> ours{
            "LISTEN_PID=", "LISTEN_FDS=", "LISTEN_FDNAMES=", "WATCHDOG_PID="};
        bool for_us = false;
        for (auto name : ours) for_us |= line.starts_with(name);
        if (!for_us) all.emplace_back(line);
    }
    all.push_back(std::string(Takeover::variable) + "=" + std::to_string(link_there) + ":" +
                  std::to_string(program.descriptors));
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& t : texts) all.push_back(t.data());
    all.push_back(nullptr);
    return all;
}

struct Spawn {
    posix_spawn_file_actions_t actions{};
    posix_spawnattr_t attributes{};

    explicit Spawn(int link) {
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, link, link_there);
        posix_spawn_file_actions_addclosefrom_np(&actions, link_there + 1);
        posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Spawn(const Spawn&) = delete;
    ~Spawn() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
};

}

Program Program::of(int argc, char** argv) {
    Program p;
    const std::string called = argc > 0 ? argv[0] : "";
    std::error_code error;
    // As it was called, links and all: whoever upgrades by pointing a link elsewhere is followed.
    if (called.find('/') != std::string::npos) p.path = fs::absolute(called, error).string();
    else p.path = fs::read_symlink("/proc/self/exe", error).string();
    p.arguments.assign(argv + (argc > 0 ? 1 : 0), argv + argc);
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) p.descriptors = limit.rlim_cur;
    return p;
}

Successor::Successor(const Program& program) {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw std::runtime_error(std::string("cannot make a link to a new process: ") + std::strerror(errno));
    link_ = TakeoverLink(Fd(ends[0]));
    const Fd its(ends[1]);
    std::vector<std::string> words{program.path};
    words.insert(words.end(), program.arguments.begin(), program.arguments.end());
    std::vector<std::string> around = environment(program);
    const Spawn spawn(its.get());
    const int error = posix_spawn(&pid_, program.path.c_str(), &spawn.actions, &spawn.attributes,
                                  pointers(words).data(), pointers(around).data());
    if (error != 0) {
        pid_ = -1;
        throw std::runtime_error("cannot start " + program.path + ": " + std::strerror(error));
    }
}

Successor::~Successor() { end(); }

bool Successor::hear(std::string_view word, std::chrono::milliseconds patience,
                     const std::atomic<bool>& stop) {
    auto m = link_.hear(patience, &stop);
    if (m && m->word() == word) {
        said_ = m->body;
        return true;
    }
    if (stop) why_ = "fairwayd is being stopped";
    else if (m && m->word() == "failed") why_ = "the new process: " + m->body.text("why");
    else why_ = how_it_ended();
    if (why_.empty())
        why_ = "the new process did not get as far as \"" + std::string(word) + "\" within " +
               std::to_string(std::chrono::duration_cast<std::chrono::seconds>(patience).count()) + " s";
    return false;
}

/// Empty: it has not.
std::string Successor::how_it_ended() {
    int status = 0;
    pid_t ended = 0;
    // Its end of the link is closed a moment before it can be waited for.
    for (int i = 0; i < 20 && (ended = waitpid(pid_, &status, WNOHANG)) == 0; ++i)
        std::this_thread::sleep_for(10ms);
    if (ended != pid_) return {};
    pid_ = -1;
    if (WIFSIGNALED(status))
        return std::string("the new process died of signal ") + strsignal(WTERMSIG(status));
    return "the new process ended with status " + std::to_string(WEXITSTATUS(status)) +
           "; the log has its words";
}

void Successor::end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    // A process that waits for a dead disk cannot be waited for, but it will do nothing more either.
    for (int i = 0; i < 500 && waitpid(pid_, nullptr, WNOHANG) == 0; ++i) std::this_thread::sleep_for(10ms);
    pid_ = -1;
}

} // namespace fairway::daemon
