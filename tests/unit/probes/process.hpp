// A web server in a process of its own, to be killed.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace fairway::testing {

/// On a port of loopback: answers each request with 200 and keeps silent connections open. To be made while
/// this process has one thread.
class Process {
  public:
    Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();
    std::uint16_t port() const { return port_; }
    void accepted(int more); ///< waits until that many more connections have been accepted
    void kill();             ///< by SIGKILL, and waits for its end

  private:
    pid_t pid_ = -1;
    int reports_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace fairway::testing
