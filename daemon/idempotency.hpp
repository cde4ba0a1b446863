// Idempotency-Key: who asks for the same thing twice with one key gets the first answer again, and it is done
// once.
//
// A key belongs to whoever used it. Answers are kept in memory, for a day and not across a restart: what a
// client does not hear of within that, it has to look up. Any thread.
#pragma once

#include "daemon/asker.hpp"
#include "daemon/http_server.hpp"

#include <deque>
#include <functional>
#include <map>
#include <mutex>

namespace fairway::daemon {

class Idempotency {
  public:
    static constexpr std::size_t most =
        1000; ///< answers kept, some hundred bytes each; the oldest goes first
    static constexpr std::size_t longest_key = 200;
    static constexpr std::chrono::hours kept{24};

    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    explicit Idempotency(Clock clock = std::chrono::steady_clock::now) : clock_(std::move(clock)) {}

    /// Does it, unless this key has been answered. 422: the key was used for something else. 409: it is being
    /// done. What was not done (503) is not remembered.
    HttpResponse once(const HttpRequest& request, const Asker& asker,
                      const std::function<HttpResponse()>& act);

  private:
    struct Entry {
        std::string asked; ///< path and body
        std::chrono::steady_clock::time_point since{};
        bool done = false;
        HttpResponse answer{};
    };
    using Key = std::pair<std::string, std::string>; ///< who, and what they called it
    void forget_old();

    Clock clock_;
    std::mutex mutex_;
    std::map<Key, Entry> entries_;
    std::deque<Key> order_; ///< of the entries, oldest first
};

} // namespace fairway::daemon
