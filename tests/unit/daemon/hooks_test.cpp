// The hook helper with real small programs: what they are told, how they end, and that none outlives its
// time.
#include "daemon/hook_link.hpp"
#include "probes/uv_loop.hpp"
#include "tests/unit/daemon/scratch.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <signal.h>
#include <sstream>

using namespace fairway;
using namespace fairway::daemon;

namespace {

struct Hooks {
    probes::UvLoop loop;
    Scratch scratch;
    Helper helper = start_helper();
    pid_t helper_pid = helper.pid;
    HookLink link{loop, std::move(helper)};
    Service service{.name = Name::parse("shop.test").value()};

    Hook hook(const std::string& script, Duration timeout = 20s) const {
        return {.exec = {"/bin/sh", "-c", script, "hook", scratch.path.string()}, .timeout = timeout};
    }
    policies::HookRequest request() const {
        return {.service = "shop.example",
                .switch_id = "shop/1/west",
                .step = Hook::Step::promote,
                .from = "east",
                .to = "west",
                .reason = "gone",
                .lag = 120ms};
    }
    policies::HookResult run(const Hook& h) {
        policies::HookResult result;
        int answers = 0;
        link.run(h, service, request(), [&](policies::HookResult r) {
            result = std::move(r);
            ++answers;
            loop.stop();
        });
        loop.run();
        CHECK(answers == 1);
        CHECK(result.service == "shop.test");
        CHECK(result.switch_id == "shop/1/west");
        CHECK(result.step == Hook::Step::promote);
        return result;
    }
    std::string file(const std::string& name) const {
        std::ifstream f(scratch.path / name);
        return (std::ostringstream() << f.rdbuf()).str();
    }
    /// The process that the hook wrote down.
    pid_t child() const { return static_cast<pid_t>(std::stol(file("child"))); }
};

/// It runs: a killed orphan that nobody has reaped (not every container has an init that does) no longer
/// lives.
bool lives(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(stat, text); // empty, too, if it ends while it is read
    const auto end = text.rfind(')'); // of the command, which may hold anything
    return end != text.npos && text.size() > end + 2 && text[end + 2] != 'Z' && text[end + 2] != 'X';
}

bool ends(pid_t pid) {
    for (int i = 0; i < 500 && lives(pid); ++i) usleep(10'000);
    return !lives(pid);
}

}

TEST_CASE("a hook is told what it is for, on stdin and in its environment, without a shell in between") {
    Hooks h;
    const auto r =
        h.run(h.hook("cat > $1/in; echo $FAIRWAY_STEP $FAIRWAY_TO $FAIRWAY_LAG_MS > $1/env; echo done"));
    CHECK(r.ok);
    CHECK(r.detail == "exit status 0: done");
    CHECK(h.file("env") == "promote west 120\n");
    CHECK(h.file("in") == R"({"id":"shop/1/west","service":"shop.test","step":"promote","from":"east",)"
                          R"("to":"west","reason":"gone","lag_ms":120.0})");
}

TEST_CASE("a hook that fails says how and why") {
    Hooks h;
    const auto r = h.run(h.hook("echo could not connect >&2; exit 1"));
    CHECK_FALSE(r.ok);
    CHECK(r.detail == "exit status 1: could not connect");
    CHECK(h.run(h.hook("kill -9 $$")).detail == "killed by signal 9");
}

TEST_CASE("a program that does not exist is a failure with its name") {
    Hooks h;
    const auto r = h.run({.exec = {"/nowhere/fence"}, .timeout = 5s});
    CHECK_FALSE(r.ok);
    CHECK(r.detail == "exit status 127: cannot run /nowhere/fence: No such file or directory");
}

TEST_CASE("at its deadline a hook's whole process group ends") {
    Hooks h;
    const auto r = h.run(h.hook("sleep 100 & echo $! > $1/child; echo waiting; wait", 300ms));
    CHECK_FALSE(r.ok);
    CHECK(r.detail == "timed out after 300ms: waiting");
    CHECK(ends(h.child()));
}

TEST_CASE("one that ignores TERM is killed two seconds later, with its children") {
    Hooks h;
    const auto r = h.run(h.hook("trap '' TERM; (trap '' TERM; sleep 100; sleep 100) & echo $! > $1/child; "
                                "while :; do sleep 1; done",
                                200ms));
    CHECK_FALSE(r.ok);
    CHECK(r.detail.starts_with("timed out after 200ms"));
    CHECK(ends(h.child()));
}

TEST_CASE("a hook may print without end; its last 4 KiB are kept") {
    Hooks h;
    const auto r = h.run(h.hook("head -c 10000000 /dev/zero | tr '\\0' x; echo the end"));
    CHECK(r.ok);
    CHECK(r.detail.ends_with("xxx | the end") == false);
    CHECK(r.detail.ends_with("xxxthe end"));
    CHECK(r.detail.size() < most_output + 100);
}

TEST_CASE("what a hook leaves running in the background does not hold it up") {
    Hooks h;
    const auto r = h.run(h.hook("sleep 100 & echo $! > $1/child; exit 0"));
    CHECK(r.ok);
    const pid_t child = h.child();
    CHECK(lives(child));
    kill(child, SIGKILL);
    CHECK(ends(child));
}

TEST_CASE("a hook that never reads a large input is not waited for") {
    Hooks h;
    auto request = h.request();
    request.reason = std::string(40'000, '"'); // doubled in JSON: more than a pipe holds
    bool ok = false;
    h.link.run(h.hook("exec <&-; exit 0"), h.service, request, [&](policies::HookResult r) {
        ok = r.ok;
        h.loop.stop();
    });
    h.loop.run();
    CHECK(ok);
}

TEST_CASE("several hooks run side by side") {
    Hooks h;
    int left = 2;
    const auto done = [&](policies::HookResult r) {
        CHECK(r.ok);
        if (--left == 0) h.loop.stop();
    };
    // Each waits for the other's file: one after the other they would never end.
    h.link.run(h.hook("touch $1/a; until [ -e $1/b ]; do sleep 0.01; done"), h.service, h.request(), done);
    h.link.run(h.hook("touch $1/b; until [ -e $1/a ]; do sleep 0.01; done"), h.service, h.request(), done);
    h.loop.run();
    CHECK(left == 0);
}

TEST_CASE("a helper that dies is a failure of what runs and of what comes, never of the daemon") {
    Hooks h;
    std::vector<std::string> details;
    const auto done = [&](policies::HookResult r) {
        CHECK_FALSE(r.ok);
        details.push_back(r.detail);
        h.loop.stop();
    };
    h.link.run(h.hook("echo $$ > $1/pid; exec sleep 100"), h.service, h.request(), done);
    while (h.file("pid").empty()) usleep(1000);
    kill(h.helper_pid, SIGKILL);
    h.loop.run();
    h.link.run(h.hook("true"), h.service, h.request(), done);
    h.loop.run();
    REQUIRE(details.size() == 2);
    CHECK(details[0] == "the hook helper has died");
    CHECK(details[1] == "the hook helper has died; restart fairwayd to run hooks again");
    kill(static_cast<pid_t>(std::stol(h.file("pid"))), SIGKILL);
}

TEST_CASE("the helper ends with the daemon, and what it runs with it") {
    std::string child;
    pid_t helper = 0;
    {
        Hooks h;
        helper = h.helper_pid;
        h.link.run(h.hook("echo $$ > $1/pid; exec sleep 100"), h.service, h.request(), [](auto) {});
        while (child.empty()) usleep(1000), child = h.file("pid");
    }
    CHECK(kill(helper, 0) != 0);
    CHECK(ends(static_cast<pid_t>(std::stol(child))));
}

TEST_CASE("a URL that nobody answers is a failure that says so") {
    Hooks h;
    const auto r = h.run({.http = "http://127.0.0.1:1/hook", .timeout = 5s});
    CHECK_FALSE(r.ok);
    CHECK(r.detail.starts_with("POST failed: "));
}

TEST_CASE("messages of the helper read back as they were written, and cut ones not at all") {
    const HookJob job{7, std::chrono::milliseconds(1500), "", "{}", {"A=b"}, {"/bin/true", ""}};
    const auto back = HookJob::unpack(job.pack());
    REQUIRE(back);
    CHECK(back->number == 7);
    CHECK(back->timeout.count() == 1500);
    CHECK(back->environment == job.environment);
    CHECK(back->argv == job.argv);
    CHECK_FALSE(HookJob::unpack(job.pack().substr(0, 5)));
    CHECK_FALSE(HookEnd::unpack("x"));
}
