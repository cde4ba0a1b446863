// The hook helper: a small process, forked before any thread starts, that runs the operator's programs for us
// (L18).
//
// A program gets JSON on stdin and FAIRWAY_* in its environment, no shell, a process group of its own, and an
// end at its deadline: TERM to the group, KILL two seconds later. What it prints is kept to its last 4 KiB.
// Over the link (a SOCK_SEQPACKET pair) go messages of fields that end in NUL.
#pragma once

#include "daemon/fd.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

/// One program to run, or one URL to POST to.
struct HookJob {
    std::uint64_t number = 0;
    std::chrono::milliseconds timeout{};
    std::string url;                      ///< empty: `argv` is run
    std::string input;                    ///< stdin, or the body
    std::vector<std::string> environment; ///< "KEY=value", added to ours
    std::vector<std::string> argv;

    std::string pack() const;
    static std::optional<HookJob> unpack(std::string_view message);
};

struct HookEnd {
    std::uint64_t number = 0;
    bool ok = false;
    std::string detail; ///< "exit status 1: could not connect"

    std::string pack() const;
    static std::optional<HookEnd> unpack(std::string_view message);
};

/// A message, job or end, is at most this long.
inline constexpr std::size_t most_message = 128 * 1024;
/// What is kept of what a hook prints.
inline constexpr std::size_t most_output = 4096;

struct Helper {
    pid_t pid = -1;
    Fd link;
};

/// Forks it. Call before any thread is started; it ends when the link does, and with it every hook that still
/// runs.
Helper start_helper();

} // namespace fairway::daemon
