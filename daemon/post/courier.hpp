// Carries messages to one place over HTTP: five seconds each, certificates verified, with a token if there is
// one. It says so in the log when it begins to fail and when it succeeds again, and shows no more of its URL
// than the host, since the rest may be a secret.
//
// Belongs to the thread that sends; counts may be read by any. libcurl stands behind it here.
#pragma once

#include "config/model.hpp"
#include "daemon/log.hpp"

#include <atomic>
#include <memory>
#include <stop_token>
#include <string>

namespace fairway::daemon {

/// Of one kind of target at one host.
struct NotificationCounts {
    std::string via, host;
    std::uint64_t sent = 0, failed = 0,
                  dropped = 0; ///< messages taken, attempts that failed, messages given up
};

class Courier {
  public:
    static constexpr auto patience = 5s;
    /// After the first failure, doubled with each more, up to the longest.
    static constexpr Duration first_pause = 1s, longest_pause = 60s;

    Courier(std::string via, AlertTarget target, const Log& log);
    ~Courier();

    /// `key` names the message if it is not empty: who gets it twice can tell (Idempotency-Key). False: it
    /// was not taken, or `stop` was asked for.
    bool send(const std::string& path, const std::string& body, const std::string& key,
              const std::stop_token& stop);
    void dropped(std::size_t messages);
    Duration pause() const; ///< before the next attempt; zero if the last one succeeded
    NotificationCounts counts() const;

  private:
    std::string attempt(const std::string& url, const std::string& body, const std::string& key,
                        const std::stop_token& stop);
    struct Curl;
    const std::string via_, host_;
    const AlertTarget target_;
    const Log& log_;
    std::unique_ptr<Curl> curl_;
    unsigned failures_ = 0; ///< in a row
    std::atomic<std::uint64_t> sent_ = 0, failed_ = 0, dropped_ = 0;
};

} // namespace fairway::daemon
