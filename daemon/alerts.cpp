#include "daemon/alerts.hpp"

#include "daemon/alarm_ledger.hpp"
#include "daemon/daemon.hpp"
#include "daemon/json_parts.hpp"

#include <condition_variable>
#include <deque>
#include <thread>

namespace fairway::daemon {

/// A target and its thread. A derived class starts its thread last, and ends it before anything else goes.
class Alerts::Post {
  public:
    Post(const char* via, const AlertTarget& target, const Log& log) : courier_(via, target, log) {}
    virtual ~Post() = default;
    virtual void happened(std::uint64_t id, const std::shared_ptr<const std::string>& transition) = 0;
    void leave() { thread_.request_stop(); }
    bool left() const { return left_; }
    NotificationCounts counts() const { return courier_.counts(); }

  protected:
    void start(std::function<void(const std::stop_token&)> run) {
        thread_ = std::jthread([this, run = std::move(run)](const std::stop_token& stop) {
            run(stop);
            left_ = true;
        });
    }
    void end() { thread_ = {}; }

    Courier courier_;
    std::mutex mutex_;
    std::condition_variable_any work_;

  private:
    std::atomic<bool> left_ = false;
    std::jthread thread_;
};

/// Tells the alarms of the newest report when something has happened, and all of them again at an interval.
class Alerts::AlertmanagerPost : public Post {
  public:
    AlertmanagerPost(const AlertTarget& target, const Log& log, NewestReport& reports, std::string node,
                     Duration repeat)
        : Post("alertmanager", target, log), reports_(reports), ledger_(std::move(node)), repeat_(repeat) {
        start([this](const std::stop_token& stop) { run(stop); });
    }
    ~AlertmanagerPost() override { end(); }

    void happened(std::uint64_t, const std::shared_ptr<const std::string>&) override {
        {
            const std::lock_guard hold(mutex_);
            news_ = true;
        }
        work_.notify_one();
    }

  private:
    /// An Alertmanager that hears nothing more of us lets an alarm go after as many intervals, as it does
    /// with Prometheus.
    static constexpr int intervals_until_over = 4;
    /// News that come together go together; a report is good for so long anyway.
    static constexpr auto gather = 200ms;

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) { wait(stop, tell(stop) ? repeat_ : courier_.pause()); }
    }

    /// Until something happens, or `longest` has passed; after a failure news wait, too.
    void wait(const std::stop_token& stop, Duration longest) {
        std::unique_lock hold(mutex_);
        const bool failing = courier_.pause() > Duration::zero();
        work_.wait_for(hold, stop, longest, [&] { return news_ && !failing; });
        if (news_ && !failing) work_.wait_for(hold, stop, gather, [] { return false; });
        news_ = false;
    }

    bool tell(const std::stop_token& stop) {
        const auto latest = reports_.latest();
        if (!latest.report) return true;
        ledger_.update(latest.report->alarms, latest.report->at);
        for (const auto& body : ledger_.messages(clock_now().wall, intervals_until_over * repeat_))
            if (!courier_.send("/api/v2/alerts", body, "", stop)) return false;
        ledger_.heard();
        return true;
    }

    NewestReport& reports_;
    AlarmLedger ledger_;
    const Duration repeat_;
    bool news_ = false; ///< under the mutex
};

/// Sends each transition once: in order, many at a time where many wait. What cannot be sent is tried again,
/// and given up in the end.
class Alerts::WebhookPost : public Post {
  public:
    WebhookPost(const AlertTarget& target, const Log& log, std::string node)
        : Post("webhook", target, log), node_(std::move(node)) {
        start([this](const std::stop_token& stop) { run(stop); });
    }
    ~WebhookPost() override { end(); }

    void happened(std::uint64_t id, const std::shared_ptr<const std::string>& transition) override {
        {
            const std::lock_guard hold(mutex_);
            waiting_.push_back({id, transition});
            if (waiting_.size() > most) {
                waiting_.pop_front();
                ++lost_;
            }
        }
        work_.notify_one();
    }

  private:
    /// Transitions that may wait: the loss of a site of 2,000 services; they are shared with whoever else is
    /// told.
    static constexpr std::size_t most = 10'000;
    static constexpr std::size_t batch = 100; ///< some 100 KB a message
    static constexpr unsigned attempts = 8;   ///< with their pauses: two minutes

    struct Waiting {
        std::uint64_t id;
        std::shared_ptr<const std::string> transition;
    };

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const auto now = next(stop);
            if (!now.empty() && !deliver(now, stop) && !stop.stop_requested()) courier_.dropped(now.size());
        }
    }

    std::vector<Waiting> next(const std::stop_token& stop) {
        std::unique_lock hold(mutex_);
        work_.wait(hold, stop, [&] { return !waiting_.empty(); });
        if (const auto lost = std::exchange(lost_, 0)) courier_.dropped(lost);
        std::vector<Waiting> some;
        for (; !waiting_.empty() && some.size() < batch; waiting_.pop_front())
            some.push_back(std::move(waiting_.front()));
        return some;
    }

    bool deliver(const std::vector<Waiting>& some, const std::stop_token& stop) {
        std::string body = R"({"node":)" + parts::dump(node_) + R"(,"transitions":[)";
        for (const auto& w : some) body += (&w == &some.front() ? "" : ",") + *w.transition;
        body += "]}";
        const std::string key =
            node_ + "-" + std::to_string(some.front().id) + "-" + std::to_string(some.back().id);
        for (unsigned attempt = 1;; ++attempt) {
            if (courier_.send("", body, key, stop)) return true;
            if (attempt == attempts || stop.stop_requested()) return false;
            std::unique_lock hold(mutex_);
            work_.wait_for(hold, stop, courier_.pause(), [] { return false; });
        }
    }

    const std::string node_;
    std::deque<Waiting> waiting_; ///< under the mutex
    std::size_t lost_ = 0;        ///< under the mutex: that found no room
};

Alerts::Alerts(NewestReport& reports, const Log& log) : reports_(reports), log_(log) {}

Alerts::~Alerts() {
    for (const auto& p : posts_) p->leave(); // all at once: each may need a moment
}

void Alerts::configure(const AlertSettings& settings, const std::string& node) {
    if (settings == settings_) return;
    settings_ = settings;
    std::erase_if(leaving_, [](const auto& p) { return p->left(); }); // joined at once
    std::vector<std::unique_ptr<Post>> posts;
    for (const auto& t : settings.alertmanagers)
        posts.push_back(std::make_unique<AlertmanagerPost>(t, log_, reports_, node, settings.repeat));
    for (const auto& t : settings.webhooks) posts.push_back(std::make_unique<WebhookPost>(t, log_, node));
    const std::lock_guard hold(mutex_);
    posts_.swap(posts);
    for (auto& p : posts) {
        p->leave();
        leaving_.push_back(std::move(p));
    }
}

void Alerts::happened(std::uint64_t id, const std::shared_ptr<const std::string>& transition) {
    for (const auto& p : posts_) p->happened(id, transition);
}

std::vector<NotificationCounts> Alerts::counts() const {
    const std::lock_guard hold(mutex_);
    std::vector<NotificationCounts> all;
    for (const auto& p : posts_) all.push_back(p->counts());
    return all;
}

} // namespace fairway::daemon
