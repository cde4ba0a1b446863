// TaskGroup: tasks nobody waits for, and who owns them meanwhile. Destroying the group cancels them all.
#pragma once

#include "probes/async/loop.hpp"
#include "probes/async/task.hpp"

#include <list>
#include <memory>

namespace fairway {

/// Belongs to its loop's thread. A task may spawn into the group it runs in, but not destroy it.
class TaskGroup {
  public:
    explicit TaskGroup(Loop& loop) : loop_(loop) {}
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    /// Starts the task at once. It may not throw: nobody would hear of it, so it ends the process.
    void spawn(Task<void> task);

    std::size_t size() const { return tasks_->size(); } ///< those not yet done and put away

  private:
    using Tasks = std::list<Task<void>>;
    static Task<void> run(Loop& loop, Task<void> task, std::weak_ptr<Tasks> home, Tasks::iterator self);
    Loop& loop_;
    std::shared_ptr<Tasks> tasks_ = std::make_shared<Tasks>();
};

} // namespace fairway
