// exec: a program of the operator's, and what is left of it.
#include "tests/unit/probes/kinds.hpp"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace fairway;
using namespace fairway::testing;

namespace {

class Script {
  public:
    explicit Script(const std::string& text) {
        path_ = std::filesystem::temp_directory_path() /
                ("fairway-exec-" + std::to_string(getpid()) + "-" + std::to_string(++number_));
        std::ofstream(path_) << "#!/bin/sh\n" << text << '\n';
        chmod(path_.c_str(), 0700);
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;
    ~Script() { std::filesystem::remove(path_); }
    ExecCheck check(std::vector<std::string> arguments = {}) const {
        arguments.insert(arguments.begin(), path_.string());
        return {arguments};
    }

  private:
    inline static int number_ = 0;
    std::filesystem::path path_;
};

Observation exec(const std::string& script, Duration timeout = 5s) {
    return once(Script(script).check(), 9, timeout);
}

} // namespace

TEST_CASE("exec: the exit status decides, and the first line is for people") {
    CHECK_SEEN(exec("exit 0"), pass, ok);
    const Observation well = exec("echo all is well; echo and more");
    CHECK_SEEN(well, pass, ok);
    CHECK(well.detail == "all is well");
    const Observation two = exec("echo disk full; exit 2");
    CHECK_SEEN(two, fail, reported_down);
    CHECK(two.detail == "exit status 2: disk full");
    CHECK_SEEN(exec("kill -9 $$"), fail, reported_down);
    CHECK_SEEN(once(ExecCheck{{"/nonexistent/check"}}, 9), unknown, internal);
    CHECK_SEEN(exec("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), fail, oversize_body);
    CHECK_SEEN(exec("exec sleep 60", soon), fail, timeout_first_byte);
    CHECK_SEEN(exec("echo I am thinking; exec sleep 60", soon), fail, timeout_body);
    CHECK_SEEN(exec("sleep 60 & exit 0"), pass, ok); // what it leaves behind is ended, not waited for
}

TEST_CASE("exec: no shell, a clean environment, no descriptor of ours, no signal blocked") {
    setenv("FAIRWAY_SECRET", "hunter2", 1);
    const Script prints(R"(printf '[%s] ' "$1"; env | grep -v PWD= | sort | tr '\n' ' ')");
    Check check = check_of(prints.check({"a b; $(id)"}));
    const Observation o = looks(check, nowhere, 1).front();
    unsetenv("FAIRWAY_SECRET");
    CHECK_SEEN(o, pass, ok);
    CHECK(o.detail.starts_with(
        "[a b; $(id)] FAIRWAY_ADDRESS=127.0.0.1 FAIRWAY_CHECK=once FAIRWAY_DATACENTER=east FAIRWAY_PORT=9 "));
    CHECK(o.detail.find("LANG=C") != std::string::npos);
    CHECK(o.detail.find("hunter2") == std::string::npos);
    const int open = ::open("/dev/null", O_RDONLY); // not close-on-exec
    CHECK(exec("echo $(ls /proc/$$/fd | tr '\\n' ' ')").detail.starts_with("0 1 "));
    CHECK(exec("test -e /proc/$$/fd/" + std::to_string(open) + " && echo leaked || echo none").detail ==
          "none");
    close(open);
    CHECK(exec("grep SigBlk /proc/$$/status | cut -f2").detail == "0000000000000000");
}

TEST_CASE("exec: JSON on its output becomes facts") {
    const Observation o =
        exec(R"(echo '{"role": "standby", "quorum": true, "read_only": true, "epoch": 7, "lag": 1.5,
        "position": 9000000000, "system": "s", "weight": "75%", "load": 12.5, "detail": "replica of db1"}')");
    CHECK_SEEN(o, pass, ok);
    CHECK(o.detail == "replica of db1");
    CHECK(o.facts == Facts{.role = Role::standby,
                           .quorum = true,
                           .read_only = true,
                           .epoch = 7,
                           .system = "s",
                           .position = 9000000000,
                           .weight = 0.75,
                           .load = 12.5,
                           .lag = 1500ms});
    CHECK(exec(R"(echo '{"lag": "250ms"}')").facts.lag == 250ms);
    CHECK_SEEN(exec(R"(echo '{"outcome": "degraded"}')"), degraded, ok);
    CHECK_SEEN(exec(R"(echo '{"outcome": "fail"}')"), fail, reported_down);
    CHECK_SEEN(exec(R"(echo '{"outcome": "unknown"}')"), unknown, no_data);
    for (const char* bad : {R"({"role": "master"})", R"({"quorum": 1})", R"({"epoch": -1})",
                            R"({"lag": "soon"})", R"({"weight": 2})", R"({"outcome": "good"})", "{"})
        CHECK_SEEN(exec(std::string("echo '") + bad + "'"), fail, bad_response);
}

TEST_CASE("exec: a program that takes too long is ended with all it has started, and leaves no zombie") {
    const auto pids = std::filesystem::temp_directory_path() / ("fairway-pids-" + std::to_string(getpid()));
    CHECK_SEEN(exec("sleep 61 & echo $! $$ > " + pids.string() + "; wait", 700ms), fail, timeout_first_byte);
    int child = 0, script = 0;
    std::ifstream(pids) >> child >> script;
    std::filesystem::remove(pids);
    REQUIRE(child > 0);
    CHECK(kill(script, 0) != 0); // ended and waited for
    const auto ended = [&] {
        std::ifstream status("/proc/" + std::to_string(child) + "/stat");
        std::string text;
        std::getline(status, text);
        return text.empty() || text.find(") Z") != std::string::npos; // init's to wait for
    };
    for (int i = 0; i < 500 && !ended(); ++i) std::this_thread::sleep_for(10ms); // a busy core takes a moment
    CHECK(ended());
}

TEST_CASE("exec: what a program leaves behind ends with it") {
    const auto file = std::filesystem::temp_directory_path() / ("fairway-left-" + std::to_string(getpid()));
    CHECK_SEEN(exec("sleep 61 & echo $! > " + file.string()), pass, ok);
    int left = 0;
    std::ifstream(file) >> left;
    std::filesystem::remove(file);
    REQUIRE(left > 0);
    std::string text; // it may be init's to wait for by now, or on its way there
    for (int i = 0; i < 500; ++i, usleep(10'000)) {
        text.clear();
        std::getline(std::ifstream("/proc/" + std::to_string(left) + "/stat"), text);
        if (text.empty() || text.find(") Z") != std::string::npos) break;
    }
    CHECK((text.empty() || text.find(") Z") != std::string::npos));
}
