// The daemon at the other end of its control socket. libcurl stands behind it in one source.
#pragma once

#include "daemon/json_value.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace fairway::ctl {

struct Answer {
    bool reached = false;
    int status = 0;   ///< HTTP's
    std::string text; ///< the body, or why nobody was reached
    daemon::JsonValue body;
    bool ok() const { return reached && status == 200; }
};

class Client {
  public:
    using Patience = std::chrono::seconds;
    static constexpr Patience usual{10};  ///< twice what the daemon gives its control thread to answer in
    static constexpr Patience reload{90}; ///< the daemon reads the largest configuration for a minute at most

    explicit Client(std::string socket);
    ~Client();
    Answer get(const std::string& path, Patience patience = usual);
    Answer post(const std::string& path, const std::string& json, Patience patience = usual);
    const std::string& socket() const { return socket_; }
    static std::string escape(const std::string& text); ///< for a query string

  private:
    struct Handle;
    Answer ask(const std::string& path, const std::string* json, Patience patience);
    std::string socket_;
    std::unique_ptr<Handle> handle_;
};

} // namespace fairway::ctl
