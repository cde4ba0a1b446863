// One hook as the helper runs it: a child in a process group of its own, its input, its output, its deadline.
#pragma once

#include "daemon/helper.hpp"

#include <sys/wait.h>

namespace fairway::daemon {

class HookChild {
  public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds grace{
        2}; ///< from TERM to KILL: time to release a lock, not to finish

    explicit HookChild(HookJob job); ///< forks; a failure to is its end

    pid_t pid() const { return pid_; }
    int input() const { return input_.get(); }   ///< to poll for writing; -1 once all is written
    int output() const { return output_.get(); } ///< to poll for reading; -1 once closed
    Clock::time_point deadline() const { return deadline_; }

    void feed();
    void drain();
    void overdue(); ///< at its deadline: TERM, then KILL
    HookEnd reaped(int wait_status);
    HookEnd not_started() const;
    void abandon(int signal) const; ///< to the whole group

  private:
    [[noreturn]] void become(int in, int out) const;

    HookJob job_;
    pid_t pid_ = -1;
    Fd input_, output_;
    std::size_t fed_ = 0;
    std::string tail_;
    Clock::time_point deadline_;
    int terms_ = 0; ///< how often the deadline has passed
    std::string error_;
};

/// POSTs `body` as JSON; an empty text, or what went wrong. Only where no thread was ever started.
std::string post_json(const std::string& url, const std::string& body, std::chrono::milliseconds timeout);

} // namespace fairway::daemon
