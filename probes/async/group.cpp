#include "probes/async/group.hpp"

namespace fairway {

namespace {

Task<void> must_not_throw(Task<void> task) {
    try {
        co_await task;
    } catch (...) { std::terminate(); }
}

} // namespace

Task<void> TaskGroup::run(Loop& loop, Task<void> task, std::weak_ptr<Tasks> home, Tasks::iterator self) {
    Task<void> guarded = must_not_throw(std::move(task));
    co_await guarded;
    // Put away from outside: by the time the loop gets to it this frame has come to its end.
    loop.post([home, self] {
        if (const auto tasks = home.lock()) tasks->erase(self);
    });
}

void TaskGroup::spawn(Task<void> task) {
    const auto self = tasks_->emplace(tasks_->end());
    *self = run(loop_, std::move(task), tasks_, self);
    self->start();
}

} // namespace fairway
