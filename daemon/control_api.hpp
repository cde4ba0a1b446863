// The control API: HTTP with JSON on the Unix socket, and over TLS for those who hold a token; for fairwayctl
// and for scripts.
//
// Every path begins with its version, /v1. Handlers run in the server's threads: they read reports and post
// commands to the control thread. Who asks is the user at the other end of the socket, or whose the token is.
#pragma once

#include "daemon/asker.hpp"
#include "daemon/desk.hpp"
#include "daemon/explained.hpp"
#include "daemon/http_server.hpp"
#include "daemon/idempotency.hpp"
#include "daemon/prospect.hpp"
#include "daemon/requests.hpp"
#include "daemon/serialize.hpp"

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

namespace fairway::daemon {

/// What came of a command, and whether what it decided is on disk: the error, or "", once the store says so.
struct Commanded {
    policies::CommandResult result;
    std::shared_future<std::string> stored;
};

/// What the API asks of the daemon. Those that do not wait are called in the control thread, those that wait
/// in the server's.
struct ControlOffice {
    std::function<std::variant<Commanded, BadRequest>(const policies::Command&, const Asker&)> command;
    std::function<Explained(const Name&, std::uint16_t type, std::optional<IpAddress>)> explain;
    std::function<Now()> clock;               ///< that of the engine
    std::function<policies::Engine()> engine; ///< a copy, to ask what it would do; in the control thread
    std::function<policies::CommandResult(const Asker&, bool forced)> reload; ///< waits
    std::function<std::future<Prospect>(const std::filesystem::path&)> look_at;
    std::function<policies::CommandResult(const Asker&)> upgrade; ///< waits
    std::function<HttpResponse(const HttpRequest&)> history;      ///< waits
    std::function<HttpResponse(const HttpRequest&)> events;
    std::function<HttpResponse(std::string_view check, const HttpRequest&)> push; ///< waits
    std::function<HttpResponse(const HttpRequest&)> latency;                      ///< waits
    std::function<HttpResponse(const HttpRequest&)> zone;                         ///< waits
    About about;
};

class ControlApi {
  public:
    /// Longer than the store's patience by far: a command that takes longer means a control thread in
    /// trouble.
    static constexpr Duration patience = 5s;
    /// Reading the largest configuration, with every check of it.
    static constexpr Duration reading_patience = 60s;

    ControlApi(Desk& desk, NewestReport& reports, ControlOffice office)
        : desk_(desk), reports_(reports), office_(std::move(office)) {}
    /// Asked by somebody who may need no name: the request brings a token of its own.
    static bool is_report(const HttpRequest& request);
    /// `who` asks, and may. Any thread.
    HttpResponse answer(const HttpRequest& request, const std::string& who);
    /// Anybody asks who may read. Any thread.
    HttpResponse read(const HttpRequest& request);

  private:
    HttpResponse get(const HttpRequest& request, std::string_view what);
    HttpResponse post(const HttpRequest& request, std::string_view what, const Asker& asker);
    HttpResponse status();
    HttpResponse explain(const HttpRequest& request);
    HttpResponse what_if(const HttpRequest& request);
    HttpResponse reload(const JsonValue& body, const Asker& asker);
    HttpResponse compare(const JsonValue& body); ///< {"file": ...}: what reloading it would change

    /// The engine of a moment, and the moment.
    using Copied = std::shared_ptr<const std::pair<policies::Engine, Now>>;
    Copied copied();
    Copied copied_now();
    /// Copying costs the control thread time, and strangers may ask: all of one second share a copy.
    static constexpr std::chrono::seconds copy_lasts{1};

    Desk& desk_;
    NewestReport& reports_;
    ControlOffice office_;
    Idempotency once_;
    std::mutex copying_; ///< of what follows
    Copied copy_;
    std::chrono::steady_clock::time_point copied_at_;
};

} // namespace fairway::daemon
