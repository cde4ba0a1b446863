// The daemon at the other end of its control socket. libcurl stands behind it in one source.
#pragma once

#include "daemon/json_value.hpp"

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
    explicit Client(std::string socket);
    ~Client();
    Answer get(const std::string& path);
    Answer post(const std::string& path, const std::string& json);
    const std::string& socket() const { return socket_; }
    static std::string escape(const std::string& text); ///< for a query string

  private:
    struct Handle;
    Answer ask(const std::string& path, const std::string* json);
    std::string socket_;
    std::unique_ptr<Handle> handle_;
};

} // namespace fairway::ctl
