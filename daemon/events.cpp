#include "daemon/events.hpp"

#include "daemon/serialize.hpp"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

namespace fairway::daemon {

struct Events::Ring {
    explicit Ring(std::chrono::milliseconds b) : beat(b) {}

    const std::chrono::milliseconds beat;
    mutable std::mutex mutex;
    std::condition_variable news;
    std::deque<std::shared_ptr<const std::string>> frames;
    std::uint64_t last = 0; ///< number of the newest
    bool closed = false;
    std::map<std::string, unsigned> readers; ///< by peer; "": over the control socket
    unsigned streams = 0;

    unsigned of(const std::string& peer) const {
        const auto found = readers.find(peer);
        return found == readers.end() ? 0 : found->second;
    }
    /// Operators on this machine and strangers never take each other's places.
    bool has_room(const std::string& peer) const {
        if (peer.empty()) return of(peer) < most_local;
        return of(peer) < most_per_peer && streams - of("") < most_streams;
    }

    std::uint64_t first() const { return last - frames.size() + 1; }
};

/// One stream's place in the ring; counted as long as it lives.
class Events::Reader {
  public:
    Reader(std::shared_ptr<Ring> ring, const HttpRequest& request, std::uint64_t at)
        : ring_(std::move(ring)), peer_(request.peer), connection_(request.connection), at_(at) {}
    Reader(const Reader&) = delete;
    ~Reader() {
        const std::lock_guard hold(ring_->mutex);
        --ring_->streams;
        if (--ring_->readers[peer_] == 0) ring_->readers.erase(peer_);
    }

    /// Waits for what comes next; empty: the end.
    std::string next() {
        if (std::exchange(fresh_, false)) return "retry: 2000\n\n"; // the head goes out at once
        std::unique_lock hold(ring_->mutex);
        const auto until = std::chrono::steady_clock::now() + ring_->beat;
        while (!ring_->closed && ring_->last == at_ && std::chrono::steady_clock::now() < until) {
            ring_->news.wait_for(hold, std::min(look_for_end, ring_->beat));
            if (has_left()) return "";
        }
        const bool too_slow = ring_->last > at_ && at_ + 1 < ring_->first();
        if (ring_->closed || too_slow) return "";
        if (ring_->last == at_) return ": still here\n\n";
        constexpr std::size_t most = 64 * 1024;
        std::string text;
        while (at_ < ring_->last && text.size() < most)
            text += *ring_->frames[static_cast<std::size_t>(++at_ - ring_->first())];
        return text;
    }

  private:
    /// Whoever closed its page makes room for the next one at once, not at the next sign of life.
    static constexpr std::chrono::milliseconds look_for_end{250};

    bool has_left() const {
        pollfd p{connection_, POLLRDHUP, 0};
        return connection_ >= 0 && poll(&p, 1, 0) == 1;
    }

    std::shared_ptr<Ring> ring_;
    std::string peer_;
    int connection_;
    std::uint64_t at_; ///< the newest that it has
    bool fresh_ = true;
};

Events::Events(std::chrono::milliseconds beat) : ring_(std::make_shared<Ring>(beat)) {}

void Events::publish(std::string_view event, std::string_view data) {
    {
        const std::lock_guard hold(ring_->mutex);
        std::string frame = "id: " + std::to_string(++ring_->last) + "\nevent: ";
        frame.append(event).append("\ndata: ").append(data).append("\n\n");
        ring_->frames.push_back(std::make_shared<const std::string>(std::move(frame)));
        if (ring_->frames.size() > kept) ring_->frames.pop_front();
    }
    ring_->news.notify_all();
}

HttpResponse Events::stream(const HttpRequest& request) {
    const std::lock_guard hold(ring_->mutex);
    if (ring_->closed || !ring_->has_room(request.peer))
        return {503, error_json("too many event streams are open; try again later")};
    std::uint64_t at = ring_->last, seen = 0;
    if (const auto given = request.headers.find("last-event-id"); given != request.headers.end()) {
        const std::string& text = given->second;
        std::from_chars(text.data(), text.data() + text.size(), seen);
        if (seen <= ring_->last && seen + 1 >= ring_->first()) at = seen;
    }
    ++ring_->streams;
    ++ring_->readers[request.peer];
    HttpResponse r{200, "", "text/event-stream"};
    r.more = [reader = std::make_shared<Reader>(ring_, request, at)] { return reader->next(); };
    return r;
}

void Events::close() {
    {
        const std::lock_guard hold(ring_->mutex);
        ring_->closed = true;
    }
    ring_->news.notify_all();
}

unsigned Events::streams() const {
    const std::lock_guard hold(ring_->mutex);
    return ring_->streams;
}

} // namespace fairway::daemon
