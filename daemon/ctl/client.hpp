// The daemon at the other end of its control socket, or of remote control. libcurl stands behind it in one
// source.
#pragma once

#include "daemon/json_value.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace fairway::ctl {

struct Answer {
    bool reached = false;
    bool misdirected = false; ///< nobody was asked: the way there is not whole, `text` says what is missing
    int status = 0;           ///< HTTP's
    std::string text;         ///< the body, or why nobody was reached
    daemon::JsonValue body;
    bool ok() const { return reached && status == 200; }
};

/// Where the daemon is: by its Unix socket, or, where there is a URL, by remote control.
struct Way {
    std::string socket;
    std::string url;        ///< "https://fairway.example.com:9554"
    std::string token_file; ///< its first line is our token
    std::string ca_file;    ///< PEM, of whom its certificate is believed; empty: the system's
};

class Client {
  public:
    using Patience = std::chrono::seconds;
    static constexpr Patience usual{10};  ///< twice what the daemon gives its control thread to answer in
    static constexpr Patience reload{90}; ///< the daemon reads the largest configuration for a minute at most

    explicit Client(Way way);
    ~Client();
    Answer get(const std::string& path, Patience patience = usual);
    Answer post(const std::string& path, const std::string& json, Patience patience = usual);
    /// Calls `tick` some times a second, and tells it whether the event stream at `path` has said something
    /// since, until the stream ends or `tick` says false. Why nobody was reached; empty: the stream has
    /// ended.
    std::string follow(const std::string& path, const std::function<bool(bool news)>& tick);
    const std::string& place() const { return way_.url.empty() ? way_.socket : way_.url; }
    bool remote() const { return !way_.url.empty(); }
    static std::string escape(const std::string& text); ///< for a query string

  private:
    struct Handle;
    Answer ask(const std::string& path, const std::string* json, Patience patience);
    std::string prepare(void* curl, const std::string& path) const; ///< what is wrong, or empty
    Way way_;
    std::unique_ptr<Handle> handle_;
};

} // namespace fairway::ctl
