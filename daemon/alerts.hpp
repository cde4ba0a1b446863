// Alarms to Alertmanager, transitions to webhooks: each target has a thread of its own, so that a slow one
// keeps nobody waiting, and the control thread hands over a text and goes on.
//
// configure() and happened() belong to the control thread. counts() may be called by any.
#pragma once

#include "daemon/desk.hpp"
#include "daemon/post/courier.hpp"

#include <memory>
#include <mutex>
#include <vector>

namespace fairway::daemon {

class Alerts {
  public:
    Alerts(NewestReport& reports, const Log& log);
    ~Alerts(); ///< what is not sent yet is not sent any more

    /// Replaces all targets, if they are others than before. `node` is who we say we are.
    void configure(const AlertSettings& settings, const std::string& node);

    /// Something happened: `transition` is its JSON, `id` its number.
    void happened(std::uint64_t id, const std::shared_ptr<const std::string>& transition);

    std::vector<NotificationCounts> counts() const;

  private:
    class Post;
    class AlertmanagerPost;
    class WebhookPost;
    NewestReport& reports_;
    const Log& log_;
    AlertSettings settings_;
    mutable std::mutex mutex_; ///< of posts_, which counts() reads
    std::vector<std::unique_ptr<Post>> posts_;
    std::vector<std::unique_ptr<Post>> leaving_; ///< told to end; joined once they have
};

} // namespace fairway::daemon
