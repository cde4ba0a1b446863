// The doors: every HTTP listener of the daemon, for readers, for the control socket and for remote control.
//
// Bound when made, open later: what is in the way of a start is found before anybody is answered. Belongs to
// the control thread; the servers answer in threads of their own.
#pragma once

#include "config/model.hpp"
#include "daemon/http_server.hpp"
#include "daemon/inherited.hpp"
#include "daemon/remote_control.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fairway::daemon {

class Doors {
  public:
    /// Throws std::runtime_error with the address that cannot be had.
    Doors(const Model& model, Inherited& given);
    ~Doors(); ///< closes them; the control socket's file goes, unless it is somebody else's by now

    void open(HttpServer::Handler readers, const HttpServer::Handler& control, RemoteControl::Answer remote,
              Inherited& given);
    void reload(const ControlSettings& settings) { remote_->reload(settings); } ///< throws std::runtime_error
    void close();

    std::string readers() const; ///< addresses, for the log
    std::string remote() const;

    std::vector<dns::Socket> sockets() const; ///< for another process
    void leave();                             ///< accepts no more: another process does
    unsigned connections() const;             ///< of readers and the control socket

  private:
    const Model& model_;
    std::vector<std::pair<SocketAddress, Fd>> bound_;
    Fd control_socket_;
    bool file_is_ours_;
    std::vector<std::unique_ptr<HttpServer>> servers_; ///< the control socket's is the first
    std::unique_ptr<RemoteControl> remote_;
};

template<class T> std::string joined(const std::vector<T>& addresses) {
    std::string text;
    for (const auto& a : addresses) text += (text.empty() ? "" : " ") + a.to_string();
    return text;
}

} // namespace fairway::daemon
