// The process that is to take our place: started, spoken with, and ended if it comes to nothing.
//
// Belongs to one thread, which may wait.
#pragma once

#include "daemon/takeover_link.hpp"

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace fairway::daemon {

/// How we were started. The path is looked up anew for each successor: a package or a link may have put
/// another program there.
struct Program {
    std::string path;
    std::vector<std::string> arguments;
    std::uint64_t descriptors = 0; ///< the soft limit before we raised it, for hooks

    /// As main() was called. Before there are threads.
    static Program of(int argc, char** argv);
};

class Successor {
  public:
    /// Starts it, without a copy of this process (posix_spawn(3)), and with no descriptor but the link and
    /// the standard ones. Throws std::runtime_error.
    explicit Successor(const Program& program);
    ~Successor(); ///< ends it, unless it was let go

    /// False: not in time, or not any more; why() says it.
    bool hear(std::string_view word, std::chrono::milliseconds patience, const std::atomic<bool>& stop);
    bool tell(std::string_view word, std::vector<JsonField> fields = {}, std::span<const int> beside = {}) {
        return link_.tell(word, std::move(fields), beside);
    }
    const JsonValue& said() const { return said_; } ///< with the word heard last
    const std::string& why() const { return why_; }
    pid_t pid() const { return pid_; }

    void end();                  ///< kills it, and returns when it does nothing any more
    void let_go() { pid_ = -1; } ///< it lives on

  private:
    std::string how_it_ended();
    TakeoverLink link_{Fd()};
    pid_t pid_ = -1;
    JsonValue said_;
    std::string why_;
};

} // namespace fairway::daemon
