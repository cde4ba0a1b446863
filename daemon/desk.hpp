// The desk: where other threads ask the control thread something and wait for its answer, but not for ever.
#pragma once

#include "policies/report.hpp"
#include "probes/async/loop.hpp"

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>

namespace fairway::daemon {

class Desk {
  public:
    explicit Desk(Loop& loop) : loop_(loop) {}

    /// Runs `f` in the control thread; nullopt if it has not answered within `patience`, or never will.
    /// What has not begun by then is not done later: "no answer" means that nothing has happened, but for
    /// what takes two seconds once begun. `f` must own what it uses.
    template<class F> auto ask(F f, Duration patience) -> std::optional<std::invoke_result_t<F>> {
        if (closed_) return std::nullopt;
        auto task = std::make_shared<std::packaged_task<std::invoke_result_t<F>()>>(std::move(f));
        auto taken = std::make_shared<std::atomic<bool>>(false); // by control to run it, or back by us
        auto answer = task->get_future();
        loop_.post([task, taken] {
            if (!taken->exchange(true)) (*task)();
        });
        if (answer.wait_for(patience) != std::future_status::ready) {
            const bool withdrawn = !taken->exchange(true);
            if (withdrawn || answer.wait_for(2s) != std::future_status::ready) return std::nullopt;
        }
        return answer.get();
    }

    void close() { closed_ = true; } ///< nobody is answered from now on

  private:
    Loop& loop_;
    std::atomic<bool> closed_ = false;
};

/// The newest report, as an immutable copy that any thread may read.
class NewestReport {
  public:
    /// A report in which nothing has happened is good for as long; members' last results are then this old at
    /// most.
    static constexpr Duration good_for = 1s;
    /// How long a reader waits for the control thread before it is given the last one with its age.
    static constexpr Duration patience = 2s;

    using Make = std::function<policies::Report()>; ///< in the control thread
    using Clock = std::function<Now()>;             ///< any thread

    NewestReport(Desk& desk, Make make, Clock clock)
        : desk_(desk), make_(std::move(make)), clock_(std::move(clock)) {}

    void changed() { changed_ = true; } ///< something happened; control thread

    struct Latest {
        std::shared_ptr<const policies::Report> report; ///< null only before the first
        Duration age{};
    };
    Latest latest(); ///< any thread but control

  private:
    using Ptr = std::shared_ptr<const policies::Report>;
    Ptr fresh(); ///< control thread
    Desk& desk_;
    Make make_;
    Clock clock_;
    bool changed_ = true; ///< control thread's
    Ptr made_;            ///< control thread's
    std::mutex mutex_;
    Ptr last_; ///< under the mutex: what was given out last
};

} // namespace fairway::daemon
